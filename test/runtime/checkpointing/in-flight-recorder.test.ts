import { expect, test } from '@jest/globals'
import { SeededRandom } from '../../../src/common/random.ts'
import { InFlightRecorder } from '../../../src/runtime/checkpointing/in-flight-recorder.ts'
import { InputGate } from '../../../src/runtime/network/input-gate.ts'
import { OutputRoom } from '../../../src/runtime/network/output-room.ts'
import { ResultPartition } from '../../../src/runtime/network/result-partition.ts'
import { RecordBatch } from '../../../src/runtime/network/stream-item.ts'
import type { BarrierAlignment } from '../../../src/runtime/task-contract.ts'
import { WatermarkValve } from '../../../src/runtime/watermark-valve.ts'
import { plainNumbers } from '../../contract/channel.ts'
import { edgeOf } from '../network/edge-fixture.ts'
import { SlowChannel } from '../network/slow-channel.ts'
import { at, barrierOf, TIMEOUT_MS, TRIGGERED_AT } from './handler-script.ts'

const edge = edgeOf({ kind: 'global' })
const unaligned: BarrierAlignment = { kind: 'unaligned' }
const timeout: BarrierAlignment = { kind: 'timeout', timeoutMs: TIMEOUT_MS }
const batch = (...numbers: readonly number[]): RecordBatch =>
  new RecordBatch(
    numbers.flatMap(n => [n, n]),
    numbers.length,
  )

/** A task with two inputs and one output, which nobody runs. */
function bench({ forcedAligned = false, keeps = true } = {}) {
  const slow = { sendItems: 10, receiveItems: 10 }
  const inputs = [new SlowChannel(slow), new SlowChannel(slow)] as const
  const output = new SlowChannel(slow)
  const partition = new ResultPartition({
    partitioner: edge.partitioner,
    channels: [output],
    room: new OutputRoom(() => {}),
    subtaskIndex: 4,
    maxParallelism: 128,
    random: new SeededRandom(1),
    forcedAligned,
    fail: error => {
      throw error
    },
  })
  const gate = new InputGate(inputs.map(channel => ({ channel, input: 0 })))
  const valve = new WatermarkValve(2, { emitWatermark: () => {}, emitStatus: () => {} })
  const recorder = new InFlightRecorder({
    subtaskIndex: 4,
    inputs: { gate, valve, senders: [0, 1].map(from => ({ edge, from })) },
    outputs: [{ partition, edge, to: [9] }],
    encode: keeps ? (_edge, items) => [Buffer.from(plainNumbers(items).join(' '))] : undefined,
  })
  const taken = (id: number): string[] => {
    while (recorder.encodeNext(id));
    const { channels, unaligned: overtook } = recorder.take(id)
    const shown = channels.map(({ direction, from, to, mark, chunks }) => {
      const event = mark === undefined ? '' : ` at ${mark.watermark}`
      return `${direction} ${from}>${to}${event}: ${Buffer.concat(chunks).toString()}`
    })
    return [overtook ? 'overtook' : 'in order', ...shown]
  }
  return { inputs, output, partition, gate, valve, recorder, taken }
}

test('F3: what is left of a batch, what stands in the queues, and what was overtaken', () => {
  const { inputs, output, gate, valve, recorder, taken, partition } = bench()
  inputs[0].send(batch(1, 2, 3))
  inputs[1].send(batch(7))
  for (const channel of inputs) channel.move()
  const opened = gate.poll()
  if (opened?.kind === 'records') gate.batch = opened
  gate.batchAt = 2
  valve.watermarkOn(0, 50)
  partition.push(100, 0)
  recorder.beginInputs(barrierOf(1, unaligned), [0, 1])
  recorder.sendBarrier(1, at(TRIGGERED_AT))
  expect(recorder.isWhole(1)).toBe(false)
  // After the cut, before the barrier.
  inputs[1].send(batch(8))
  inputs[1].move()
  recorder.finishInput(1, 0)
  recorder.finishInput(1, 1)
  expect(recorder.isWhole(1)).toBe(true)
  expect(taken(1)).toEqual([
    'overtook',
    'input 0>4 at 50: 2 3',
    'input 1>4 at -Infinity: 7 8',
    'output 4>9: 100',
  ])
  // F1: the barrier is ahead of what it overtook.
  expect(output.pollPriority()?.barrier.checkpointId).toBe(1)
})

test('an aligned checkpoint keeps nothing of its channels', () => {
  const { recorder, taken, output } = bench()
  recorder.beginInputs(barrierOf(1, { kind: 'aligned' }))
  recorder.sendBarrier(1, at(TRIGGERED_AT))
  expect(recorder.isWhole(1)).toBe(true)
  expect(taken(1)).toEqual(['in order'])
  expect(output.holds(1)).toBe(true)
})

test('F2: with a timeout it is whole when the barrier has left, or overtook in time', () => {
  const { recorder, taken, output, partition } = bench()
  for (const id of [1, 2]) {
    partition.push(id, 0)
    partition.flush()
    recorder.beginInputs(barrierOf(id, timeout))
    recorder.sendBarrier(id, at(TRIGGERED_AT + 10))
    expect(recorder.isWhole(id)).toBe(false)
    expect(recorder.nextTimer).toBe(TRIGGERED_AT + TIMEOUT_MS)
    if (id === 1) while (output.move());
    recorder.step(TRIGGERED_AT + TIMEOUT_MS - 1)
    expect(recorder.isWhole(id)).toBe(id === 1)
    recorder.step(TRIGGERED_AT + TIMEOUT_MS)
    expect(recorder.isWhole(id)).toBe(true)
    expect(recorder.nextTimer).toBe(Number.POSITIVE_INFINITY)
    const marks = ['input 0>4 at -Infinity: ', 'input 1>4 at -Infinity: ']
    const wanted = id === 1 ? ['in order', ...marks] : ['overtook', ...marks, 'output 4>9: 2']
    expect(taken(id)).toEqual(wanted)
  }
})

test('a barrier whose time is over when it is sent overtakes at once', () => {
  const { recorder, taken, partition } = bench()
  partition.push(5, 0)
  recorder.beginInputs(barrierOf(1, timeout))
  recorder.sendBarrier(1, at(TRIGGERED_AT + TIMEOUT_MS))
  expect(taken(1)).toContain('output 4>9: 5')
})

test('RP2: where it may not overtake, the barrier keeps its order and is not waited for', () => {
  const { recorder, taken, partition, output } = bench({ forcedAligned: true })
  for (const [id, form] of [
    [1, unaligned],
    [2, timeout],
  ] as const) {
    partition.push(id, 0)
    recorder.beginInputs(barrierOf(id, form), [])
    recorder.sendBarrier(id, at(TRIGGERED_AT))
    recorder.step(TRIGGERED_AT + TIMEOUT_MS)
    expect(recorder.isWhole(id)).toBe(true)
    expect(taken(id).filter(line => line.startsWith('output'))).toEqual([])
  }
  while (output.move());
  const polled = [0, 1, 2, 3].map(() => output.poll()?.kind)
  expect(polled).toEqual(['records', 'barrier', 'records', 'barrier'])
})

test('what is given up is recorded no longer, and ends quietly', () => {
  const { inputs, recorder } = bench()
  recorder.beginInputs(barrierOf(1, unaligned), [0, 1])
  recorder.abandon(1)
  recorder.finishInput(1, 0)
  recorder.sendBarrier(1, at(TRIGGERED_AT))
  expect(recorder.isWhole(1)).toBe(false)
  recorder.beginInputs(barrierOf(2, unaligned), [0])
  inputs[0].send(batch(1))
  inputs[0].move()
  recorder.finishInput(2, 0)
  expect(() => recorder.finishInput(2, 0)).toThrow('F2')
})

test('where nobody stores it, nothing is encoded', () => {
  const { recorder, taken } = bench({ keeps: false })
  recorder.beginInputs(barrierOf(1, unaligned), [])
  recorder.sendBarrier(1, at(TRIGGERED_AT))
  expect(taken(1)).toEqual(['overtook'])
})

test('F2: only what is whole is stored', () => {
  const { recorder } = bench()
  recorder.beginInputs(barrierOf(1, unaligned), [0])
  expect(() => recorder.take(1)).toThrow('F2')
})
