/** A job that is moved to other slots while it runs: nothing is lost, nothing is doubled. */
import { expect, test } from '@jest/globals'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { failOnce } from '../../src/testing/fail-once.ts'
import { startJob } from '../../src/testing/run-job.ts'
import { countingJob } from './counting-job.ts'

const size = { records: 3_000, keys: 13, perCheckpoint: 60 }
const options = { checkpointEvery: 1, maxParallelism: 16 } as const

test('A5: up and down, one after the other', async () => {
  const counting = countingJob(size)
  const running = startJob(counting.job, { ...options, parallelism: 2 })
  for (const parallelism of [5, 1, 3]) {
    await until(() => running.progress().status === 'running')
    await (await running.rescale(parallelism)).begun
    expect(running.progress().vertices[0]?.parallelism).toBe(parallelism)
  }
  const { outcome, restarts } = await running.done
  expect({ outcome, restarts }).toEqual({ outcome: 'finished', restarts: 0 })
  counting.check()
})

test('a failure on the way is survived: the order holds over restarts', async () => {
  const counting = countingJob({ ...size, map: failOnce(200, 2) })
  const running = startJob(counting.job, { ...options, parallelism: 2 })
  await until(() => running.progress().status === 'running')
  await (await running.rescale(3)).begun
  const { outcome } = await running.done
  expect(outcome).toBe('finished')
  counting.check()
})

test('A5: an order to end takes its place', async () => {
  for (const order of ['stop', 'cancel'] as const) {
    const counting = countingJob(size)
    const running = startJob(counting.job, { ...options, parallelism: 2 })
    await until(() => running.progress().status === 'running')
    const { begun } = await running.rescale(4)
    void running[order]()
    await expect(begun).rejects.toMatchObject({ code: 'WEIR_RESCALE_REFUSED' })
    expect((await running.done).outcome).toBe(order === 'stop' ? 'stopped' : 'cancelled')
  }
})

test('what cannot be done is refused at once, and the job goes on', async () => {
  const counting = countingJob(size)
  const running = startJob(counting.job, { ...options, parallelism: 2 })
  const refused = (reason: string) =>
    expect.objectContaining({
      code: 'WEIR_RESCALE_REFUSED',
      message: expect.stringMatching(reason),
    })
  await expect(running.rescale(3)).rejects.toEqual(refused('it is starting'))
  await until(() => running.progress().status === 'running')
  await expect(running.rescale(17)).rejects.toEqual(refused('spec.maxParallelism is 16'))
  await running.rescale(2)
  expect((await running.done).outcome).toBe('finished')
  counting.check()
})

test('who asks for the same a second time hears no sooner that the order is durable', async () => {
  const counting = countingJob(size)
  const store = new MemoryStore()
  const running = startJob(counting.job, { ...options, parallelism: 2, store })
  await until(() => running.progress().status === 'running')
  const put = store.put.bind(store)
  store.put = (key, ...rest) =>
    key.includes('/generations/')
      ? Promise.reject(new Error('the disk says no'))
      : put(key, ...rest)
  const orders = await Promise.allSettled([running.rescale(3), running.rescale(3)])
  store.put = put
  const refused = { status: 'rejected', reason: { code: 'WEIR_RESCALE_REFUSED' } }
  expect(orders).toMatchObject([refused, refused])
  expect((await running.done).outcome).toBe('finished')
  counting.check()
})

test('A5: the next start of the job has the parallelism that it asks for', async () => {
  const counting = countingJob(size)
  const store = new MemoryStore()
  const first = startJob(counting.job, { ...options, parallelism: 2, store })
  await until(() => first.progress().status === 'running')
  await (await first.rescale(3)).begun
  await until(() => first.progress().status === 'running')
  await first.stop()
  const second = startJob(counting.job, { ...options, parallelism: 2, store, restore: 'latest' })
  expect((await second.done).outcome).toBe('finished')
  expect(second.progress().vertices[0]?.parallelism).toBe(2)
  counting.check()
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
