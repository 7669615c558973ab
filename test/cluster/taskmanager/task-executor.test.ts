import { expect, test } from '@jest/globals'
import { job } from '../../../src/api/job.ts'
import type { SlotCommand, SlotEvent, SlotRestore } from '../../../src/cluster/slot-messages.ts'
import { TaskExecutor, type TaskStart } from '../../../src/cluster/taskmanager/task-executor.ts'
import { collectionSource } from '../../../src/connectors/collection/collection-source.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import { buildExecutionPlan } from '../../../src/graph/execution-plan.ts'
import type { TaskControl, TaskListener, TaskSnapshot } from '../../../src/runtime/task-contract.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { collectSink } from '../../../src/testing/collect-sink.ts'

const graph = planJob(
  job(env =>
    env
      .from(collectionSource([1, 2, 3]))
      .uid('numbers')
      .keyBy(n => n)
      .reduce(a => a)
      .uid('counts')
      .to(collectSink())
      .uid('out'),
  ),
)

interface FakeTask {
  readonly start: TaskStart
  readonly listener: TaskListener
  /** What the executor asked for, in short. */
  readonly calls: string[]
  closed: () => void
}

/** Of a job with two pipelines that never meet. */
function regions() {
  const two = planJob(
    job(env => {
      env
        .from(collectionSource([1]))
        .uid('a')
        .to(collectSink())
        .uid('a-out')
      env
        .from(collectionSource([2]))
        .uid('b')
        .to(collectSink())
        .uid('b-out')
    }),
  )
  const { executor, ...rest } = bench(new MemoryStore(), two)
  const sent = (region: number, attempt: number, command: Record<string, unknown>): void =>
    executor.handle({ region, attempt, ...command } as unknown as SlotCommand)
  return { ...rest, executor, sent }
}

/** An executor whose tasks only remember what they are told. */
function bench(store: ObjectStore = new MemoryStore(), planned = graph) {
  const tasks = new Map<string, FakeTask>()
  const events: SlotEvent[] = []
  const executor = new TaskExecutor({
    slot: 0,
    jobId: 'default.test',
    plan: buildExecutionPlan(planned),
    store,
    storeAt: () => store,
    startTask: start => {
      const task: FakeTask = { start, listener: start.listener, calls: [], closed: () => {} }
      tasks.set(start.subtask.vertex.id, task)
      return control(task)
    },
    retire: () => {},
    report: event => void events.push(event),
  })
  const send = (command: Record<string, unknown>, attempt = 0): void =>
    executor.handle({ region: 0, attempt, ...command } as unknown as SlotCommand)
  return { executor, tasks, events, send, store }
}

function control(task: FakeTask): TaskControl {
  const note =
    (name: string) =>
    (...args: readonly unknown[]): void =>
      void task.calls.push(`${name} ${JSON.stringify(args)}`)
  const { subtask } = task.start
  return {
    triggerCheckpoint: barrier => note('trigger')(barrier.checkpointId),
    notifyCheckpointComplete: note('complete'),
    notifyCheckpointAborted: note('abort'),
    addSplits: note('splits'),
    noMoreSplits: note('no-more'),
    stopSources: note('stop'),
    finishTask: note('finish'),
    cancel: () =>
      new Promise(resolve => {
        task.closed = resolve
      }),
    metrics: {
      vertexId: subtask.vertex.id,
      subtaskIndex: subtask.index,
      recordsIn: 0,
      recordsOut: 0,
      watermark: 0,
      busyMs: 0,
      idleMs: 0,
      backpressuredMs: 0,
      operators: [],
    },
  }
}

function snapshot(checkpointId: number, kind: TaskSnapshot['kind'] = 'checkpoint'): TaskSnapshot {
  const items = [Buffer.from('item')]
  const state = { name: 's', redistribution: 'union' as const, schema: {}, items }
  return {
    checkpointId,
    kind,
    vertexId: 'counts',
    subtaskIndex: 0,
    operators: [
      {
        operatorId: 'counts',
        keyed: undefined,
        operatorState: [state],
        splits: undefined,
        writerState: undefined,
        committables: undefined,
      },
    ],
    channels: [],
    metrics: {
      alignmentMs: 0,
      startDelayMs: 0,
      unaligned: false,
      inFlightBytes: 0,
      syncMs: 0,
      asyncMs: 0,
      recordsPerSplit: {},
    },
  }
}

const settled = () => new Promise(resolve => setImmediate(resolve))
const kinds = (events: readonly SlotEvent[]) => events.map(event => event.kind)

test('starts its subtask of every vertex', async () => {
  const { tasks, send } = bench()
  send({ kind: 'deploy', restore: undefined })
  await settled()
  expect([...tasks.keys()]).toEqual(['numbers', 'counts'])
})

test('barriers are injected at sources only; all hear of the completion', async () => {
  const { tasks, send } = bench()
  send({ kind: 'deploy', restore: undefined })
  await settled()
  send({ kind: 'trigger', checkpointId: 1, snapshot: 'checkpoint', timestamp: 5 })
  send({ kind: 'complete', checkpointId: 1 })
  expect(tasks.get('numbers')?.calls).toEqual(['trigger [1]', 'complete [1]'])
  expect(tasks.get('counts')?.calls).toEqual(['complete [1]'])
})

test('tells how far its sources are when it hears of the others', async () => {
  const { tasks, events, send } = bench()
  send({ kind: 'deploy', restore: undefined })
  await settled()
  const member = tasks.get('numbers')?.start.alignment.join({ group: 'g', maxDriftMs: 5 }, () => {})
  member?.report(70)
  if (member !== undefined) member.waiting = true
  send({ kind: 'align', others: [{ group: 'g', watermark: 60 }] })
  expect(member?.limit).toBe(65)
  expect(events.at(-1)).toEqual({
    region: 0,
    attempt: 0,
    slot: 0,
    kind: 'aligned',
    standings: [{ group: 'g', watermark: 70 }],
    waits: true,
  })
})

test('X2: a snapshot is acknowledged after it was stored', async () => {
  const { tasks, events, send, store } = bench()
  send({ kind: 'deploy', restore: undefined })
  await settled()
  tasks.get('counts')?.listener.snapshotTaken(snapshot(1))
  expect(events).toEqual([])
  await settled()
  expect(kinds(events)).toEqual(['acknowledged'])
  expect(events[0]).toMatchObject({ part: { file: 'counts-0.state', fileSizeBytes: 17 } })
  expect((await store.get('default.test/chk-1/counts-0.state')).length).toBe(17)
})

test('a savepoint’s part goes to its folder, also where only its barrier came', async () => {
  const { tasks, send, store } = bench()
  send({ kind: 'deploy', restore: undefined })
  await settled()
  tasks.get('counts')?.listener.snapshotTaken(snapshot(4, 'savepoint'))
  await settled()
  const keys = (await store.list('')).map(entry => entry.key)
  expect(keys).toEqual(['default.test/savepoints/savepoint-4/counts-0.state'])
})

test('a snapshot that cannot be stored is declined with the reason', async () => {
  const store = new MemoryStore()
  store.put = () => Promise.reject(new Error('no way'))
  const { tasks, events, send } = bench(store)
  send({ kind: 'deploy', restore: undefined })
  await settled()
  tasks.get('counts')?.listener.snapshotTaken(snapshot(1))
  await settled()
  expect(events).toMatchObject([
    { kind: 'declined', isFailure: true, checkpointId: 1, reason: 'Error: no way' },
  ])
})

test('X3: is cancelled when tasks closed and stores ended, and says nothing else', async () => {
  const store = new MemoryStore()
  let stored: () => void = () => {}
  store.put = () =>
    new Promise(resolve => {
      stored = resolve
    })
  const { tasks, events, send } = bench(store)
  send({ kind: 'deploy', restore: undefined })
  await settled()
  tasks.get('counts')?.listener.snapshotTaken(snapshot(1))
  send({ kind: 'cancel' })
  tasks.get('counts')?.listener.failed(new Error('while closing'))
  for (const task of tasks.values()) task.closed()
  await settled()
  expect(events).toEqual([])
  stored()
  await settled()
  expect(events).toEqual([{ region: 0, attempt: 0, slot: 0, kind: 'cancelled' }])
})

test('commands of another attempt are ignored', async () => {
  const { tasks, events, send } = bench()
  send({ kind: 'deploy', restore: undefined })
  await settled()
  send({ kind: 'finish' }, 7)
  expect(tasks.get('counts')?.calls).toEqual([])
  send({ kind: 'cancel' }, 7)
  expect(events).toEqual([{ region: 0, attempt: 7, slot: 0, kind: 'cancelled' }])
})

test('X1: a region stops and starts again beside another one in its slot', async () => {
  const { executor, tasks, events, sent } = regions()
  sent(0, 0, { kind: 'deploy', restore: undefined })
  sent(1, 0, { kind: 'deploy', restore: undefined })
  await settled()
  expect([...tasks.keys()]).toEqual(['a', 'b'])
  sent(1, 0, { kind: 'cancel' })
  tasks.get('b')?.closed()
  await settled()
  expect(events).toEqual([{ region: 1, attempt: 0, slot: 0, kind: 'cancelled' }])
  expect(executor.metrics.map(({ vertexId }) => vertexId)).toEqual(['a'])
  sent(0, 0, { kind: 'complete', checkpointId: 1 })
  sent(1, 0, { kind: 'complete', checkpointId: 1 })
  sent(1, 3, { kind: 'deploy', restore: undefined })
  await settled()
  expect(tasks.get('a')?.calls).toEqual(['complete [1]'])
  expect(tasks.get('b')?.start.of).toEqual({ region: 1, attempt: 3 })
  // They wait for each other's event time as before.
  expect(tasks.get('b')?.start.alignment).toBe(tasks.get('a')?.start.alignment)
})

test('a restore that cannot be read fails the slot and starts nothing there', async () => {
  const { tasks, events, send } = bench()
  const section = { offset: 13, length: 4, crc: 0 }
  const state = {
    name: 's',
    redistribution: 'union' as const,
    schema: {},
    section,
    itemLengths: [4],
  }
  const restore: SlotRestore = {
    checkpointId: 1,
    location: 'memory',
    folder: 'default.test/chk-1',
    previous: undefined,
    channels: {},
    operators: {
      counts: {
        keyed: [],
        operatorState: [{ file: 'counts-0.state', state, from: 0, to: 1 }],
        splits: [],
        writerState: [],
        committables: [],
      },
    },
  }
  send({ kind: 'deploy', restore })
  await settled()
  expect([...tasks.keys()]).toEqual(['numbers'])
  expect(events).toMatchObject([
    {
      kind: 'failed',
      vertexId: 'counts',
      failure: {
        code: 'WEIR_CHECKPOINT_CORRUPT',
        message: expect.stringContaining('memory/default.test/chk-1/counts-0.state is missing'),
      },
    },
  ])
})
