import { expect, test } from '@jest/globals'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { runJob, startJob } from '../../src/testing/run-job.ts'
import { countingJob } from './counting-job.ts'

const size = { records: 600, keys: 7, perCheckpoint: 60 }

test('a savepoint moves a job to another store and parallelism', async () => {
  const store = new MemoryStore()
  const counting = countingJob(size)
  const first = startJob(counting.job, { store, parallelism: 3, maxParallelism: 64 })
  await until(() => first.progress().recordsOut >= 60)
  const path = await first.savepoint()
  expect(path).toBe('memory/default.test/savepoints/savepoint-1')
  // It commits nothing by itself.
  expect(counting.sink.results).toEqual([])
  first.cancel()
  expect((await first.done).outcome).toBe('cancelled')
  const options = { store, parallelism: 2, maxParallelism: 64, checkpointEvery: 1 }
  await runJob(counting.job, { ...options, restore: path })
  counting.check()
})

test('`latest` goes back to a restored savepoint until a checkpoint completed', async () => {
  const store = new MemoryStore()
  const counting = countingJob(size)
  const first = startJob(counting.job, { store, checkpointEvery: 1 })
  await until(() => first.progress().checkpointsCompleted >= 3)
  const path = await first.savepoint()
  await until(() => first.progress().checkpointsCompleted >= 5)
  first.cancel()
  await first.done
  const second = startJob(counting.job, { store, restore: path })
  await until(() => second.progress().status === 'running')
  second.cancel()
  await second.done
  const third = startJob(counting.job, { store, restore: 'latest' })
  await until(() => third.progress().status === 'running')
  expect(third.notices[0]?.text).toBe(`restored from ${path}`)
  third.cancel()
  await third.done
})

test('a savepoint of a job that is not running is refused', async () => {
  const counting = countingJob(size)
  const running = startJob(counting.job)
  await expect(running.savepoint()).rejects.toThrow('the job is starting')
  running.cancel()
  await running.done
  await expect(running.savepoint()).rejects.toThrow('the job is not running')
})

test('a second checkpoint of the same job continues the ids of an older run', async () => {
  const store = new MemoryStore()
  const counting = countingJob(size)
  await runJob(counting.job, { store, checkpointEvery: 1 })
  const before = await ids(store)
  counting.sink.clear()
  await runJob(counting.job, { store, checkpointEvery: 1 })
  const after = await ids(store)
  // Those of the older run stay: nobody asked to give them up.
  expect(after.slice(0, before.length)).toEqual(before)
  expect(after[before.length]).toBeGreaterThan(before.at(-1) as number)
  counting.check()
})

async function ids(store: MemoryStore): Promise<number[]> {
  const found = await store.list('default.test/chk-')
  const all = found.map(({ key }) => Number(/chk-(\d+)/.exec(key)?.[1]))
  return [...new Set(all)].sort((a, b) => a - b)
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
