import { expect, test } from '@jest/globals'
import { JobStore } from '../../../src/cluster/jobmanager/job-store.ts'
import { StartingPoint } from '../../../src/cluster/jobmanager/starting-point.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { runJob } from '../../../src/testing/run-job.ts'
import { countingJob } from '../counting-job.ts'

const { job } = countingJob({ records: 300, keys: 3, perCheckpoint: 60 })

/** A job that ran, and what the next attempt finds. */
async function bench() {
  const store = new MemoryStore()
  const checkpoint = { retained: 100 }
  const ran = await runJob(job, { store, checkpoint, checkpointEvery: 1 })
  const lastId = Number(/\d+$/.exec(ran.lastCheckpointPath ?? '')?.[0])
  const claim = { run: 'next', lastTried: 0, isSettled: false }
  const own = { store, jobId: 'default.test', clock: new ManualClock() }
  const jobStore = new JobStore({ ...own, claim })
  const lineage = await jobStore.begin()
  const options = {
    ...own,
    graph: planJob(job, { name: 'test' }),
    storeAt: () => store,
    restore: { kind: 'latest' } as const,
    number: 0,
    claim,
  }
  const start = new StartingPoint(options, jobStore)
  return { own, start, lineage, lastId }
}

test('regions start again from what was restored, until something completed since', async () => {
  const { start, lineage, lastId } = await bench()
  const restored = await start.load(start.choose(lineage))
  expect(start.restored?.path).toBe(`memory/default.test/chk-${lastId}`)
  expect(await start.latest()).toBe(restored)
  // As if it were a newer one.
  start.completed('checkpoint', lastId - 1)
  const latest = await start.latest()
  expect(latest?.plan.checkpointId).toBe(lastId - 1)
  expect(latest?.previous).toBe(`memory/default.test/chk-${lastId}`)
})

test('an attempt that was overtaken starts nothing again', async () => {
  const { own, start, lineage } = await bench()
  await start.load(start.choose(lineage))
  await new JobStore({ ...own, claim: { run: 'rival', lastTried: 0, isSettled: false } }).begin()
  await expect(start.latest()).rejects.toMatchObject({ code: 'WEIR_JOB_FENCED' })
})
