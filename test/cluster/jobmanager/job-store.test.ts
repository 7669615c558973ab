import { expect, test } from '@jest/globals'
import { buildMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import type { Lineage } from '../../../src/checkpoint/generation.ts'
import {
  type GenerationClaim,
  JobStore,
  readSnapshot,
} from '../../../src/cluster/jobmanager/job-store.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { FaultyObjectStore } from '../../../src/testing/faulty-object-store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const clock = new ManualClock(1_000)

/** Of a jobmanager of its own, unless there is a claim. */
function open(
  store: MemoryStore | FaultyObjectStore,
  claim: GenerationClaim = { run: 'r', lastTried: 0, isSettled: false },
): JobStore {
  return new JobStore({ store, jobId: 'default.job', clock, claim })
}

/** An attempt that goes on from the lineage it finds. */
async function attempt(store: MemoryStore): Promise<{ job: JobStore; lineage: Lineage }> {
  const job = open(store)
  const lineage = await job.begin()
  await job.settle(lineage, { restoredFrom: null, history: lineage.completed, parallelism: 1 })
  return { job, lineage }
}

async function complete(job: JobStore, id: number): Promise<void> {
  await job.reserveId(id)
  await job.writeMetadata(
    buildMetadata({
      kind: 'checkpoint',
      checkpointId: id,
      jobId: 'default.job',
      jobName: 'job',
      generation: job.generation,
      triggeredAtMs: 0,
      completedAtMs: 0,
      operators: [],
      subtasks: [],
      edges: [],
      enumerators: new Map(),
      proofBefore: undefined,
    }),
  )
}

const keys = async (store: MemoryStore): Promise<readonly string[]> =>
  (await store.list('')).map(entry => entry.key)

test('W1: of attempts that begin at once each gets a generation of its own', async () => {
  const store = new MemoryStore()
  const jobs = Array.from({ length: 5 }, () => open(store))
  await Promise.all(jobs.map(job => job.begin()))
  expect(jobs.map(job => job.generation).sort()).toEqual([1, 2, 3, 4, 5])
})

test('W4: a restart goes above its own generations only, not above a newer jobmanager’s', async () => {
  const store = new MemoryStore()
  const claim = { run: 'r', lastTried: 0, isSettled: false }
  await open(store, claim).begin()
  await open(store, claim).begin()
  expect(claim.lastTried).toBe(2)
  await open(store).begin()
  await expect(open(store, claim).begin()).rejects.toMatchObject({ code: 'WEIR_JOB_FENCED' })
  // The same goes for one that is just being taken.
  const racing = new MemoryStore()
  const late = { run: 'r', lastTried: 0, isSettled: false }
  await open(racing, late).begin()
  const newer = open(racing).begin()
  const taking = open(racing, late).begin()
  await expect(taking).rejects.toMatchObject({ code: 'WEIR_JOB_FENCED' })
  await newer
})

test('W4: a generation whose answer got lost is its own', async () => {
  let lose = true
  const fault = ({ operation }: { readonly operation: string }) =>
    operation === 'putIfAbsent' && lose ? 'lose-answer' : undefined
  const store = new FaultyObjectStore({ inner: new MemoryStore(), clock, fault })
  const claim = { run: 'r', lastTried: 0, isSettled: false }
  await expect(open(store, claim).begin()).rejects.toMatchObject({ code: 'WEIR_STORE_FAILED' })
  lose = false
  const again = open(store, claim)
  await again.begin()
  expect(again.generation).toBe(2)
})

test('N3: a start whose answer got lost may have run: it is gone on from', async () => {
  const inner = new MemoryStore()
  const claim = { run: 'fresh', lastTried: 0, isSettled: false }
  const fault = ({ operation, key }: { readonly operation: string; readonly key: string }) =>
    operation === 'put' && key.includes('/generations/') ? 'lose-answer' : undefined
  const first = open(new FaultyObjectStore({ inner, clock, fault }), claim)
  const nothing = { restoredFrom: null, history: [], parallelism: 1 }
  await expect(first.settle(await first.begin(), nothing)).rejects.toThrow()
  expect((await open(inner, claim).begin()).goesOn).toBe(true)
  // Another start is not meant by it.
  expect((await open(inner, { run: 'other', lastTried: 0, isSettled: false }).look()).goesOn).toBe(
    false,
  )
})

test('N4: an order to rescale is refused where a newer attempt began that may not know it', async () => {
  const store = new MemoryStore()
  const { job } = await attempt(store)
  await job.noteParallelism(3)
  const successor = open(store)
  expect((await successor.begin()).parallelism).toBe(3)
  await expect(job.noteParallelism(2)).rejects.toMatchObject({ code: 'WEIR_JOB_FENCED' })
})

test('N5: a late process of an earlier run takes no generation, and one in a race gives up', async () => {
  const store = new MemoryStore()
  const old = () => open(store, { run: 'u/1', lastTried: 0, isSettled: false })
  await old().begin()
  const current = open(store, { run: 'u/2', lastTried: 0, isSettled: false })
  const racing = Promise.all([current.begin(), old().begin()])
  await expect(racing).rejects.toMatchObject({ code: 'WEIR_JOB_FENCED' })
  const before = await keys(store)
  await expect(old().begin()).rejects.toMatchObject({ code: 'WEIR_JOB_FENCED' })
  expect(await keys(store)).toEqual(before)
  expect(await open(store, { run: 'v/1', lastTried: 0, isSettled: false }).begin()).toMatchObject({
    goesOn: false,
  })
})

test('looking changes nothing', async () => {
  const store = new MemoryStore()
  await attempt(store)
  const before = await keys(store)
  expect(await open(store).look()).toMatchObject({ started: true })
  expect(await keys(store)).toEqual(before)
})

test('an older attempt sees the newer one at its next step', async () => {
  const store = new MemoryStore()
  const { job: older } = await attempt(store)
  expect(await older.reserveId(1)).toBeUndefined()
  const { job: newer } = await attempt(store)
  expect(await older.newerGeneration()).toBe(newer.generation)
  expect(await older.reserveId(2)).toBe(newer.generation)
  expect(await newer.newerGeneration()).toBeUndefined()
})

test('what a stale attempt completes is no part of the lineage', async () => {
  const store = new MemoryStore()
  const { job: older } = await attempt(store)
  await complete(older, 1)
  await attempt(store)
  await complete(older, 2)
  const { lineage } = await attempt(store)
  expect(lineage.completed.map(checkpoint => checkpoint.id)).toEqual([1])
  expect(lineage.abandoned).toEqual([2])
  expect(lineage.lastCheckpointId).toBe(2)
})

test('an id is taken even when the answer of the store got lost', async () => {
  const inner = new MemoryStore()
  let lose = false
  const store = new FaultyObjectStore({
    inner,
    clock,
    fault: ({ operation }) => (lose && operation === 'put' ? 'lose-answer' : undefined),
  })
  const job = open(store)
  await job.settle(await job.begin(), { restoredFrom: null, history: [], parallelism: 1 })
  lose = true
  await expect(job.reserveId(1)).rejects.toMatchObject({ code: 'WEIR_STORE_FAILED' })
  const { lineage } = await attempt(inner)
  expect(lineage.lastCheckpointId).toBe(1)
})

test('W2: sweeping removes what was never completed, and what is abandoned and too old', async () => {
  const store = new MemoryStore()
  const first = await attempt(store)
  for (const id of [1, 2, 3]) await complete(first.job, id)
  const fresh = open(store)
  await fresh.settle(await fresh.begin(), { restoredFrom: null, history: [], parallelism: 1 })
  await complete(fresh, 4)
  await store.put('default.job/chk-5/a-0.state', Buffer.from('left behind'))
  await store.put('default.job/savepoints/savepoint-5/a-0.state', Buffer.from('the user’s'))
  await fresh.reserveId(5)
  const { job, lineage } = await attempt(store)
  // Begun by this attempt itself: not its leftover.
  await store.put('default.job/chk-6/a-0.state', Buffer.from('under way'))
  await job.sweep(lineage, 2)
  expect((await keys(store)).filter(key => !key.includes('/generations/'))).toEqual([
    'default.job/chk-2/_metadata',
    'default.job/chk-3/_metadata',
    'default.job/chk-4/_metadata',
    'default.job/chk-6/a-0.state',
    'default.job/savepoints/savepoint-5/a-0.state',
  ])
})

test('W2: an attempt that was overtaken sweeps nothing: the newer one may go on from it', async () => {
  const store = new MemoryStore()
  const { job: first } = await attempt(store)
  await complete(first, 1)
  const slow = open(store)
  const lineage = await slow.begin()
  await complete(first, 2)
  const { lineage: newer } = await attempt(store)
  await slow.settle(lineage, { restoredFrom: null, history: lineage.completed, parallelism: 1 })
  await slow.sweep({ ...lineage, lastCheckpointId: 2 }, 1)
  expect(newer.completed.map(checkpoint => checkpoint.id)).toEqual([1, 2])
  expect(await keys(store)).toContain('default.job/chk-2/_metadata')
})

test('records of many attempts do not pile up', async () => {
  const store = new MemoryStore()
  for (let i = 0; i < 30; i++) {
    const { job, lineage } = await attempt(store)
    await job.sweep(lineage, 1)
  }
  expect((await keys(store)).length).toBeLessThanOrEqual(11)
  const { job } = await attempt(store)
  expect(job.generation).toBe(31)
})

test('W3: a checkpoint that is half removed is none', async () => {
  const inner = new MemoryStore()
  const { job } = await attempt(inner)
  await complete(job, 1)
  await inner.put('default.job/chk-1/a-0.state', Buffer.from('state'))
  const fails = ({ operation, key }: { operation: string; key: string }) =>
    operation === 'delete' && key.endsWith('.state') ? 'fail' : undefined
  const store = new FaultyObjectStore({ inner, clock, fault: fails })
  const again = open(store)
  await again.begin()
  await expect(again.remove('checkpoint', 1)).rejects.toMatchObject({ code: 'WEIR_STORE_FAILED' })
  const { lineage } = await attempt(inner)
  expect(lineage.completed).toEqual([])
})

test('reads what was written, and names the file that is missing', async () => {
  const store = new MemoryStore()
  const { job } = await attempt(store)
  await complete(job, 3)
  const found = await readSnapshot(store, 'default.job/chk-3', undefined)
  expect(found).toMatchObject({ checkpointId: 3, generation: 1 })
  expect(job.pathOf('checkpoint', 3)).toBe('memory/default.job/chk-3')
  await expect(readSnapshot(store, 'default.job/chk-4', undefined)).rejects.toMatchObject({
    code: 'WEIR_STORE_NOT_FOUND',
  })
})
