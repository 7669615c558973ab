/** Two runs of one job on one store: the older may be paused anywhere, and does no harm after. */
import { expect, test } from '@jest/globals'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { FaultyObjectStore, type StoreCall } from '../../src/testing/faulty-object-store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { runJob, startJob } from '../../src/testing/run-job.ts'
import { countingJob } from './counting-job.ts'

const size = { records: 600, keys: 7, perCheckpoint: 60 }

const pauses: Record<string, (call: StoreCall) => boolean> = {
  'before it reserves an id': ({ operation, key }) =>
    operation === 'put' && key.includes('/generations/'),
  'before it stores the metadata': ({ operation, key }) =>
    operation === 'put' && key.endsWith('/_metadata'),
  'before it stores a subtask’s state': ({ operation, key }) =>
    operation === 'put' && key.endsWith('.state'),
}

test.each(Object.entries(pauses))(
  'a run that was paused %s commits nothing',
  async (_, pausesAt) => {
    const counting = countingJob(size)
    const inner = new MemoryStore()
    const gate = new ManualClock()
    let seen = 0
    let paused = false
    const fault = (call: StoreCall) => {
      // The third such call: the run has completed checkpoints before.
      if (!pausesAt(call) || ++seen !== 3) return undefined
      paused = true
      return { delayMs: 1 }
    }
    const store = new FaultyObjectStore({ inner, clock: gate, fault })
    const older = startJob(counting.job, { store, checkpointEvery: 1, parallelism: 2 })
    await until(() => paused)
    const newer = await runJob(counting.job, {
      store: inner,
      checkpointEvery: 1,
      restore: 'latest',
    })
    expect(newer.outcome).toBe('finished')
    const committed = counting.sink.results.length
    gate.advance(1)
    const { outcome, error } = await older.done
    expect(outcome).toBe('failed')
    expect(error).toMatchObject({ code: 'WEIR_JOB_FENCED' })
    expect(counting.sink.results).toHaveLength(committed)
    counting.check()
  },
)

test('what a run stored before it was paused is continued by the newer one', async () => {
  const counting = countingJob(size)
  const inner = new MemoryStore()
  const gate = new ManualClock()
  let stored = 0
  let paused = false
  const fault = ({ operation, key }: StoreCall) => {
    if (operation === 'put' && key.endsWith('/_metadata')) stored++
    if (stored !== 3 || operation !== 'list' || paused) return undefined
    paused = true
    return { delayMs: 1 }
  }
  const store = new FaultyObjectStore({ inner, clock: gate, fault })
  const older = startJob(counting.job, { store, checkpointEvery: 1 })
  await until(() => paused)
  const newer = await runJob(counting.job, { store: inner, checkpointEvery: 1, restore: 'latest' })
  expect(newer.notices[0]?.text).toMatch(/chk-3$/)
  gate.advance(1)
  expect((await older.done).error).toMatchObject({ code: 'WEIR_JOB_FENCED' })
  counting.check()
})

test('what a stale run stores too late is never restored', async () => {
  const counting = countingJob(size)
  const inner = new MemoryStore()
  const gate = new ManualClock()
  let paused = false
  const fault = ({ operation, key }: StoreCall) => {
    if (operation !== 'put' || !key.endsWith('chk-2/_metadata') || paused) return undefined
    paused = true
    return { delayMs: 1 }
  }
  const store = new FaultyObjectStore({ inner, clock: gate, fault })
  const older = startJob(counting.job, { store, checkpointEvery: 1 })
  await until(() => paused)
  // The newer run begins and is cancelled before it completed anything.
  const newer = startJob(counting.job, { store: inner, restore: 'latest' })
  await until(() => newer.progress().status === 'running')
  gate.advance(1)
  await older.done
  newer.cancel()
  await newer.done
  expect((await inner.list('default.test/chk-2/_metadata')).length).toBe(1)
  const last = await runJob(counting.job, { store: inner, checkpointEvery: 1, restore: 'latest' })
  expect(last.notices[0]?.text).toMatch(/chk-1$/)
  counting.check()
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
