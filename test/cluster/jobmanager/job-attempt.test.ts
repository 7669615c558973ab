import { expect, test } from '@jest/globals'
import { job } from '../../../src/api/job.ts'
import type { Source } from '../../../src/api/source.ts'
import { defaultSettings } from '../../../src/cluster/job-settings.ts'
import { JobAttempt } from '../../../src/cluster/jobmanager/job-attempt.ts'
import { emptyCounts } from '../../../src/cluster/jobmanager/job-master-options.ts'
import type { SlotCommand } from '../../../src/cluster/slot-messages.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { collectionSource } from '../../../src/connectors/collection/collection-source.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import type { JobGraph } from '../../../src/graph/job-graph.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { collectSink } from '../../../src/testing/collect-sink.ts'
import { FaultyObjectStore } from '../../../src/testing/faulty-object-store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { countingJob } from '../counting-job.ts'

const graph = planJob(countingJob({ records: 1, keys: 1 }).job, { name: 'test' })

interface Shape {
  readonly graph: JobGraph
  readonly slots: number
}

function bench(
  store: MemoryStore | FaultyObjectStore = new MemoryStore(),
  { graph: planned, slots }: Shape = { graph, slots: 1 },
) {
  const sent: SlotCommand[] = []
  const attempt = new JobAttempt({
    graph: planned,
    jobId: 'default.test',
    store,
    storeAt: () => store,
    restore: { kind: 'none' },
    settings: defaultSettings,
    clock: new ManualClock(),
    random: new SeededRandom(1),
    slots: Array.from({ length: slots }, () => ({ send: command => void sent.push(command) })),
    onNotice: () => {},
    number: 0,
    run: 'r',
    claim: { run: 'r', lastTried: 0, isSettled: false },
    counts: emptyCounts(),
    onDeployed: () => {},
    onRunning: () => {},
    onFinishing: () => {},
    onRegionsFailed: () => ({ kind: 'restart', delayMs: 0 }),
    nextNumber: () => 1,
  })
  const say = (event: Record<string, unknown>): void =>
    attempt.receive({ region: 0, attempt: 0, slot: 0, ...event } as never)
  const isOver = async (): Promise<boolean> => {
    await settled()
    return Promise.race([attempt.over.then(() => true), settled().then(() => false)])
  }
  return { attempt, sent, say, isOver }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
}

const failure = {
  code: undefined,
  domain: 'internal',
  message: 'x',
  next: undefined,
  stack: undefined,
  retry: 'now',
}

test('T1: nothing is deployed when the generation cannot be taken', async () => {
  const inner = new MemoryStore()
  const store = new FaultyObjectStore({ inner, clock: new ManualClock(), fault: () => 'fail' })
  const { attempt, sent } = bench(store)
  attempt.start()
  expect(await attempt.over).toMatchObject({
    kind: 'failed',
    failure: { code: 'WEIR_STORE_FAILED' },
  })
  expect(sent).toEqual([])
})

test('T2, T3: the first failure ends it, after every slot said that it has stopped', async () => {
  const { attempt, sent, say, isOver } = bench()
  attempt.start()
  await settled()
  expect(sent.map(command => command.kind)).toEqual(['deploy'])
  say({ kind: 'failed', vertexId: 'numbers', failure })
  say({ kind: 'failed', vertexId: 'counts', failure: { ...failure, message: 'y' } })
  expect(sent.at(-1)?.kind).toBe('cancel')
  expect(await isOver()).toBe(false)
  say({ kind: 'cancelled' })
  expect(await attempt.over).toMatchObject({ kind: 'failed', failure: { message: 'x' } })
})

test('T2: the loss of a process takes the place of the channels that it broke', async () => {
  const { attempt, say } = bench()
  attempt.start()
  await settled()
  const report = { ...failure, domain: 'external', retry: 'later' }
  const broken = { ...report, code: 'WEIR_PEER_LOST', message: 'slot 1 is gone' }
  const lost = { ...report, code: 'WEIR_SLOT_LOST', message: 'slot 1 was lost' }
  say({ kind: 'failed', vertexId: 'counts', failure: broken })
  say({ kind: 'failed', vertexId: '', failure: lost })
  say({ kind: 'failed', vertexId: 'counts', failure: broken })
  say({ kind: 'cancelled' })
  expect(await attempt.over).toMatchObject({ kind: 'failed', failure: lost })
})

test('T2: but not of what failed by itself', async () => {
  const { attempt, say } = bench()
  attempt.start()
  await settled()
  say({ kind: 'failed', vertexId: 'counts', failure })
  say({ kind: 'failed', vertexId: '', failure: { ...failure, code: 'WEIR_SLOT_LOST' } })
  say({ kind: 'cancelled' })
  expect(await attempt.over).toMatchObject({ kind: 'failed', failure })
})

test('T4: subtasks are finished after the final checkpoint, and its commit goes first', async () => {
  const { attempt, sent, say } = bench()
  attempt.start()
  await settled()
  for (const vertexId of ['numbers', 'counts']) say({ kind: 'running', vertexId })
  for (const vertexId of ['numbers', 'counts']) say({ kind: 'drained', vertexId })
  await settled()
  expect(sent.map(command => command.kind)).toEqual(expect.arrayContaining(['deploy', 'trigger']))
  expect(sent.some(command => command.kind === 'finish')).toBe(false)
  for (const vertexId of ['numbers', 'counts']) {
    const metrics = { alignmentMs: 0, startDelayMs: 0, syncMs: 0, asyncMs: 0, recordsPerSplit: {} }
    const part = { vertexId, subtaskIndex: 0, file: undefined, fileSizeBytes: 0, operators: [] }
    const channels: unknown[] = []
    say({ kind: 'acknowledged', checkpointId: 1, part: { ...part, channels, metrics } })
  }
  await settled()
  expect(sent.slice(-2).map(command => command.kind)).toEqual(['complete', 'finish'])
  for (const vertexId of ['numbers', 'counts']) say({ kind: 'finished', vertexId })
  expect(await attempt.over).toEqual({ kind: 'finished', savepointPath: undefined })
})

test('a message that breaks an invariant fails the attempt, not the process', async () => {
  const { attempt, say } = bench()
  attempt.start()
  await settled()
  say({ kind: 'running', vertexId: 'stranger' })
  say({ kind: 'cancelled' })
  expect(await attempt.over).toMatchObject({
    kind: 'failed',
    failure: { message: 'AssertionError: stranger/0 is a subtask of the job' },
  })
})

test('cancelled while it reads the store, it deploys nothing', async () => {
  const { attempt, sent } = bench()
  attempt.start()
  attempt.cancel()
  expect(await attempt.over).toEqual({ kind: 'cancelled' })
  expect(sent).toEqual([])
})

/** One vertex, two slots: a region each. */
function slices(source: Source<number> = collectionSource([1, 2])): Shape {
  const sliced = job(env => env.from(source).uid('numbers').to(collectSink()).uid('out'))
  return { graph: planJob(sliced, { name: 'test', parallelism: 2 }), slots: 2 }
}

const told = (sent: readonly SlotCommand[]): readonly string[] => {
  const steps = sent.filter(({ kind }) => kind === 'deploy' || kind === 'cancel')
  return steps.map(({ kind, region, attempt }) => `${kind} ${region}.${attempt}`)
}

test('T7: a region that fails before all have run ends the attempt', async () => {
  const { attempt, sent, say } = bench(undefined, slices())
  attempt.start()
  await settled()
  say({ kind: 'running', vertexId: 'numbers' })
  say({ region: 1, slot: 1, kind: 'failed', vertexId: 'numbers', failure })
  say({ kind: 'cancelled' })
  say({ region: 1, slot: 1, kind: 'cancelled' })
  expect(await attempt.over).toMatchObject({ kind: 'failed', failure: { message: 'x' } })
  expect(told(sent)).toEqual(['deploy 0.0', 'deploy 1.0', 'cancel 0.0', 'cancel 1.0'])
})

test('T7: one that fails later starts again, and only that one', async () => {
  const { attempt, sent, say, isOver } = bench(undefined, slices())
  attempt.start()
  await settled()
  say({ kind: 'running', vertexId: 'numbers' })
  say({ region: 1, slot: 1, kind: 'running', vertexId: 'numbers' })
  sent.length = 0
  say({ region: 1, slot: 1, kind: 'failed', vertexId: 'numbers', failure })
  await settled()
  say({ region: 1, slot: 1, kind: 'cancelled' })
  await settled()
  expect(told(sent)).toEqual(['cancel 1.0', 'deploy 1.1'])
  expect(await isOver()).toBe(false)
})

test('T7: when all input is over a failure ends the attempt', async () => {
  const { attempt, sent, say } = bench(undefined, slices())
  attempt.start()
  await settled()
  for (const kind of ['running', 'drained']) {
    for (const slot of [0, 1]) say({ region: slot, slot, kind, vertexId: 'numbers' })
  }
  await settled()
  sent.length = 0
  say({ region: 1, slot: 1, kind: 'failed', vertexId: 'numbers', failure })
  for (const slot of [0, 1]) say({ region: slot, slot, kind: 'cancelled' })
  expect(await attempt.over).toMatchObject({ kind: 'failed' })
  expect(told(sent).filter(one => one.startsWith('deploy'))).toEqual([])
})

test('T8: no checkpoint is taken before readers have what was restored', async () => {
  const started = Promise.withResolvers<void>()
  const numbers = collectionSource([1, 2])
  const source: Source<number> = {
    ...numbers,
    createEnumerator: (context, state) => {
      const enumerator = numbers.createEnumerator(context as never, state)
      return {
        start: () => started.promise,
        addReader: reader => enumerator.addReader(reader),
        handleSplitRequest: reader => enumerator.handleSplitRequest(reader),
        addSplitsBack: (splits, reader) => enumerator.addSplitsBack(splits as never, reader),
        snapshotState: id => enumerator.snapshotState(id),
        close: () => enumerator.close(),
      }
    },
    createReader: context => numbers.createReader(context) as never,
  }
  const { attempt, sent, say } = bench(undefined, slices(source))
  attempt.start()
  await settled()
  for (const slot of [0, 1]) say({ region: slot, slot, kind: 'running', vertexId: 'numbers' })
  await expect(attempt.checkpoint()).rejects.toThrow('not all subtasks are running')
  expect(sent.some(({ kind }) => kind === 'trigger')).toBe(false)
  started.resolve()
  await settled()
  const taken = attempt.checkpoint()
  taken.catch(() => undefined)
  await settled()
  const kinds = sent.map(({ kind }) => kind)
  expect(kinds.filter(kind => kind === 'trigger')).toHaveLength(2)
  expect(kinds.indexOf('add-splits')).toBeLessThan(kinds.indexOf('trigger'))
})

test('a cancel says what may be committed; a failure leaves that to the next attempt', async () => {
  const [cancelled, failed] = [bench(), bench()]
  for (const { attempt } of [cancelled, failed]) attempt.start()
  await settled()
  cancelled.attempt.cancel()
  failed.say({ kind: 'failed', vertexId: 'counts', failure })
  await settled()
  const settlement = { commitUpTo: 0, abortBeyond: 0 }
  expect(cancelled.sent.at(-1)).toEqual({ region: 0, attempt: 0, kind: 'cancel', settlement })
  expect(failed.sent.at(-1)).toEqual({
    region: 0,
    attempt: 0,
    kind: 'cancel',
    settlement: undefined,
  })
})
