import { expect, test } from '@jest/globals'
import { defaultSettings } from '../../../src/cluster/job-settings.ts'
import { JobAttempt } from '../../../src/cluster/jobmanager/job-attempt.ts'
import { emptyCounts } from '../../../src/cluster/jobmanager/job-master-options.ts'
import type { SlotCommand } from '../../../src/cluster/slot-messages.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { FaultyObjectStore } from '../../../src/testing/faulty-object-store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { countingJob } from '../counting-job.ts'

const graph = planJob(countingJob({ records: 1, keys: 1 }).job, { name: 'test' })

function bench(store: MemoryStore | FaultyObjectStore = new MemoryStore()) {
  const sent: SlotCommand[] = []
  const attempt = new JobAttempt({
    graph,
    jobId: 'default.test',
    store,
    storeAt: () => store,
    restore: { kind: 'none' },
    settings: defaultSettings,
    clock: new ManualClock(),
    random: new SeededRandom(1),
    slots: [{ send: command => void sent.push(command) }],
    onNotice: () => {},
    number: 0,
    run: 'r',
    claim: { run: 'r', lastTried: 0, isSettled: false },
    counts: emptyCounts(),
    onDeployed: () => {},
    onRunning: () => {},
    onFinishing: () => {},
  })
  const say = (event: Record<string, unknown>): void =>
    attempt.receive({ attempt: 0, slot: 0, ...event } as never)
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

test('a cancel says what may be committed; a failure leaves that to the next attempt', async () => {
  const [cancelled, failed] = [bench(), bench()]
  for (const { attempt } of [cancelled, failed]) attempt.start()
  await settled()
  cancelled.attempt.cancel()
  failed.say({ kind: 'failed', vertexId: 'counts', failure })
  await settled()
  const settlement = { commitUpTo: 0, abortBeyond: 0 }
  expect(cancelled.sent.at(-1)).toEqual({ attempt: 0, kind: 'cancel', settlement })
  expect(failed.sent.at(-1)).toEqual({ attempt: 0, kind: 'cancel', settlement: undefined })
})
