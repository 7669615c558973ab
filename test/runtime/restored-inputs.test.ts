import { expect, test } from '@jest/globals'
import { job } from '../../src/api/job.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { buildExecutionPlan, type Subtask } from '../../src/graph/execution-plan.ts'
import { ItemEncoders } from '../../src/runtime/network/channel-state.ts'
import { RecordBatch } from '../../src/runtime/network/stream-item.ts'
import { makeRestoredInputs } from '../../src/runtime/restored-inputs.ts'
import type { ChannelRestore } from '../../src/runtime/task-contract.ts'
import { logSink, numbers, SinkLog } from './test-connectors.ts'

const made = job(env =>
  env
    .from(numbers(1))
    .uid('numbers')
    .partitionCustom(
      n => n,
      (n, channels) => n % channels,
    )
    .to(logSink(new SinkLog<number>()))
    .uid('out'),
)
const { subtasks } = buildExecutionPlan(planJob(made, { name: 'restored', parallelism: 3 }))
const receiver = (index: number): Subtask =>
  subtasks.find(one => one.index === index && one.inputs.length > 0) as Subtask

function restored(index: number, filtered: boolean, from: readonly number[]) {
  const subtask = receiver(index)
  const { edge } = subtask.inputs[0] as Subtask['inputs'][number]
  const channels = from.map((sender): ChannelRestore => {
    const values = [0, 1, 2, 3, 4, 5].map(n => n + sender * 6)
    const batch = new RecordBatch(
      values.flatMap(n => [n, 0]),
      values.length,
    )
    return {
      edgeId: edge.id,
      from: sender,
      to: 0,
      mark: { watermark: sender, status: 'active' },
      sections: [Buffer.concat(new ItemEncoders().encode(edge, [batch]))],
      filtered,
    }
  })
  const emitted: number[] = []
  const inputs = makeRestoredInputs({
    subtask,
    channels,
    output: { emitWatermark: watermark => emitted.push(watermark), emitStatus: () => {} },
    random: new SeededRandom(1),
    fail: error => {
      throw error
    },
  })
  const values: unknown[] = []
  for (let item = inputs?.gate.poll(); item !== undefined; item = inputs?.gate.poll()) {
    if (item.kind === 'records') values.push(...item.items.filter((_, at) => at % 2 === 0))
  }
  return { inputs, values, emitted }
}

test('without data in flight there is nothing to take first', () => {
  expect(restored(0, false, []).inputs).toBe(undefined)
})

test('what is shared goes to each receiver by its partitioner, once', () => {
  const all = [0, 1, 2].flatMap(index => restored(index, true, [0, 1]).values)
  expect([...all].sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 12 }, (_, n) => n),
  )
  expect(restored(1, true, [0]).values).toEqual([1, 4])
  expect(restored(1, false, [0]).values).toEqual([0, 1, 2, 3, 4, 5])
})

test('data in flight is taken whether or not the edge has carried coordinates since', () => {
  const subtask = receiver(1)
  const [input] = subtask.inputs as [Subtask['inputs'][number]]
  const plain = input.edge
  const located = { ...plain, isLocated: true }
  const coordinates = { source: 'numbers', split: '0', offset: '4' }
  const take = (stored: typeof plain, now: typeof plain, items: readonly unknown[]): unknown => {
    const batch = new RecordBatch(items, items.length / 2)
    const inputs = makeRestoredInputs({
      subtask: { ...subtask, inputs: [{ ...input, edge: now }] },
      channels: [
        {
          edgeId: plain.id,
          from: 0,
          to: 0,
          mark: { watermark: 0, status: 'active' },
          sections: [Buffer.concat(new ItemEncoders().encode(stored, [batch]))],
          filtered: true,
          ...(stored === located && { isLocated: true }),
        },
      ],
      output: { emitWatermark: () => {}, emitStatus: () => {} },
      random: new SeededRandom(1),
      fail: error => {
        throw error
      },
    })
    const item = inputs?.gate.poll()
    return item?.kind === 'records' ? item.items : undefined
  }
  // Two records, the second of which belongs to another receiver.
  const values = [4, 7, 5, 8]
  const places = [{ value: 4, coordinates }, 7, { value: 5, coordinates }, 8]
  expect(take(plain, located, values)).toEqual([{ value: 4, coordinates: undefined }, 7])
  expect(take(located, plain, places)).toEqual([4, 7])
  expect(take(located, located, places)).toEqual([{ value: 4, coordinates }, 7])
})

test('event time goes on from the least of the marks', () => {
  const { inputs, emitted } = restored(0, false, [4, 3])
  inputs?.valve.restore(inputs.marks)
  expect(emitted).toEqual([3])
})

test('a channel of an edge that does not lead here is a broken plan', () => {
  const subtask = receiver(0)
  const mark = { watermark: 0, status: 'active' } as const
  const channel = { edgeId: 'x', from: 0, to: 0, mark, sections: [], filtered: false }
  const output = { emitWatermark: () => {}, emitStatus: () => {} }
  const fail = (error: unknown): never => {
    throw error
  }
  const random = new SeededRandom(1)
  expect(() => makeRestoredInputs({ subtask, channels: [channel], output, random, fail })).toThrow(
    'edge x leads here',
  )
})
