import { expect, test } from '@jest/globals'
import { type Job, job } from '../../src/api/job.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { InFlightRecorder } from '../../src/runtime/checkpointing/in-flight-recorder.ts'
import { LocalChannel } from '../../src/runtime/network/local-channel.ts'
import { OutputRoom } from '../../src/runtime/network/output-room.ts'
import { ResultPartition } from '../../src/runtime/network/result-partition.ts'
import type { TaskSnapshot } from '../../src/runtime/task-contract.ts'
import { TaskSnapshots } from '../../src/runtime/task-snapshots.ts'
import { openSecondChain } from './chain-fixture.ts'
import { edgeOf } from './network/edge-fixture.ts'
import { logSink, numbers, SinkLog } from './test-connectors.ts'

function counting(log: SinkLog<number>): Job {
  return job(env =>
    env
      .from(numbers(1))
      .uid('numbers')
      .keyBy(n => n)
      .reduce((a, b) => a + b)
      .uid('sum')
      .to(logSink(log, true))
      .uid('out'),
  )
}

async function snapshotsOf(newestId = 0, keepsState = true) {
  const log = new SinkLog<number>()
  const events: string[] = []
  const { chain } = await openSecondChain(counting(log))
  const channel = new LocalChannel()
  const send = channel.send.bind(channel)
  channel.send = item => {
    events.push(item.kind)
    log.events.push(item.kind)
    send(item)
  }
  const partition = new ResultPartition({
    partitioner: { kind: 'global' },
    channels: [channel],
    room: new OutputRoom(() => {}),
    subtaskIndex: 2,
    maxParallelism: 128,
    random: new SeededRandom(0),
    forcedAligned: false,
    fail: error => {
      throw error
    },
  })
  const taken: TaskSnapshot[] = []
  const recorder = new InFlightRecorder({
    subtaskIndex: 2,
    encode: undefined,
    inputs: undefined,
    outputs: [{ partition, edge: edgeOf({ kind: 'global' }), to: [0] }],
  })
  const errors: unknown[] = []
  const snapshots = new TaskSnapshots(
    {
      vertexId: 'v',
      subtaskIndex: 2,
      chain,
      recorder,
      clock: new SystemClock(),
      keepsState,
      broadcast: event => partition.broadcast(event),
      taken: snapshot => taken.push(snapshot),
      resumed: () => events.push('resumed'),
      failed: error => errors.push(error),
    },
    newestId,
  )
  const begin = (checkpointId: number): void =>
    snapshots.begin({
      barrier: { checkpointId, timestamp: 0, kind: 'checkpoint', alignment: { kind: 'aligned' } },
      record: undefined,
      alignmentMs: 3,
      startDelayMs: 4,
    })
  const cut = async (): Promise<void> => {
    for (let i = 0; i < 20 && snapshots.suspended; i++) await Promise.resolve()
  }
  const write = (): void => {
    for (let i = 0; i < 1_000 && snapshots.isWriting; i++) snapshots.step(0.01)
  }
  return { log, chain, events, taken, errors, snapshots, recorder, begin, cut, write }
}

test('TS2: operators prepare, the barrier leaves, then state is cut', async () => {
  const { log, chain, begin, cut, write, taken, snapshots } = await snapshotsOf()
  chain.inputs[0]?.(5, 0)
  begin(1)
  expect(snapshots.suspended).toBe(true)
  await cut()
  expect(log.events).toEqual(['flush', 'barrier', 'snapshot 1'])
  // What comes after the cut is not in the snapshot.
  chain.inputs[0]?.(6, 0)
  write()
  expect(taken).toHaveLength(1)
  const [{ checkpointId, subtaskIndex, metrics, operators } = {} as TaskSnapshot] = taken
  expect([checkpointId, subtaskIndex]).toEqual([1, 2])
  expect([metrics.alignmentMs, metrics.startDelayMs]).toEqual([3, 4])
  const [sum, out] = operators
  expect([sum?.operatorId, out?.operatorId]).toEqual(['sum', 'out'])
  expect(sum?.keyed?.groups).toHaveLength(1)
  expect(out?.committables).toMatchObject([{ checkpointId: 1, committable: { values: [5] } }])
  expect(out?.keyed).toBeUndefined()
})

test('where nobody keeps it, keyed state is left out, and sinks still commit', async () => {
  const { chain, begin, cut, write, taken } = await snapshotsOf(0, false)
  chain.inputs[0]?.(5, 0)
  begin(1)
  await cut()
  write()
  const [sum, out] = taken[0]?.operators ?? []
  expect(sum?.keyed).toBeUndefined()
  expect(out?.committables).toMatchObject([{ checkpointId: 1, committable: { values: [5] } }])
})

test('TS1: an older or repeated id is dropped, also after a restore', async () => {
  const { events, begin, cut, write, taken } = await snapshotsOf(7)
  begin(6)
  begin(7)
  expect(events).toEqual([])
  begin(8)
  await cut()
  begin(8)
  write()
  expect(events).toEqual(['barrier', 'resumed'])
  expect(taken.map(snapshot => snapshot.checkpointId)).toEqual([8])
})

test('one that was aborted before is answered by a cancel marker', async () => {
  const { events, begin, taken, snapshots } = await snapshotsOf()
  snapshots.abort(3)
  begin(3)
  expect([events, snapshots.suspended, taken]).toEqual([['cancel-barrier'], false, []])
})

test('TS3: one that is aborted while it is written is never reported', async () => {
  const { begin, cut, write, taken, snapshots } = await snapshotsOf()
  begin(1)
  await cut()
  begin(2)
  await cut()
  snapshots.abort(1)
  write()
  expect(taken.map(snapshot => snapshot.checkpointId)).toEqual([2])
})

test('TS4: it is taken when its state is written and its recording is whole', async () => {
  const { begin, cut, write, taken, recorder } = await snapshotsOf()
  let isWhole = false
  recorder.isWhole = () => isWhole
  begin(1)
  await cut()
  write()
  expect(taken).toEqual([])
  isWhole = true
  write()
  expect(taken.map(snapshot => snapshot.checkpointId)).toEqual([1])
})

test('nothing is reported once the task closed', async () => {
  const { begin, write, taken, events, snapshots } = await snapshotsOf()
  begin(1)
  snapshots.close()
  for (let i = 0; i < 20; i++) await Promise.resolve()
  write()
  expect([taken, events.includes('resumed')]).toEqual([[], false])
})

test('an operator that cannot prepare fails the task', async () => {
  const { chain, begin, errors } = await snapshotsOf()
  const sink = chain.links.at(-1)
  if (sink !== undefined)
    sink.operator.prepareSnapshot = () => Promise.reject(new Error('disk full'))
  begin(1)
  for (let i = 0; i < 20; i++) await Promise.resolve()
  expect(errors).toEqual([new Error('disk full')])
})
