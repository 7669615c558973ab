import { describe, expect, test } from '@jest/globals'
import { SystemClock } from '../../src/common/clock.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'
import { failOnce } from '../../src/testing/fail-once.ts'
import { FaultyObjectStore, type StoreCall } from '../../src/testing/faulty-object-store.ts'
import { runJob, startJob } from '../../src/testing/run-job.ts'
import { countingJob } from './counting-job.ts'

const size = { records: 3_000, keys: 7 }
const keysOf = async (store: ObjectStore, prefix = ''): Promise<readonly string[]> =>
  (await store.list(prefix)).map(entry => entry.key)

describe('a job', () => {
  test.each([1, 2, 3])('counts every record once at parallelism %i', async parallelism => {
    const counting = countingJob(size)
    const result = await runJob(counting.job, { parallelism, checkpointEvery: 1 })
    expect(result).toMatchObject({ outcome: 'finished', restarts: 0 })
    counting.check()
  })

  test('A2: goes on from its last checkpoint after a failure', async () => {
    const counting = countingJob({ ...size, map: failOnce(2_000, 3) })
    const result = await runJob(counting.job, { parallelism: 2, checkpointEvery: 1 })
    expect(result.restarts).toBe(3)
    expect(result.notices.filter(notice => notice.level === 'warn')).toHaveLength(3)
    expect(result.notices[0]?.text).toMatch(
      /^restart 1 in 0ms: WEIR_USER_FUNCTION_FAILED .*planned/,
    )
    counting.check()
  })

  test('without checkpoints it starts from the beginning, and nothing is doubled', async () => {
    const counting = countingJob({ ...size, map: failOnce(2_000) })
    const result = await runJob(counting.job)
    expect(result.restarts).toBe(1)
    counting.check()
  })

  test('is given up when it fails at the same record again and again', async () => {
    const counting = countingJob({
      ...size,
      map: n => {
        if (n === 1_234) throw new Error('cannot be')
        return n
      },
    })
    const running = startJob(counting.job, { restart: { attempts: 100 } })
    const { outcome, error, restarts } = await running.done
    expect({ outcome, restarts }).toEqual({ outcome: 'failed', restarts: 2 })
    expect(error).toMatchObject({
      code: 'WEIR_USER_FUNCTION_FAILED',
      message: expect.stringMatching(/split 0\/1, offset 1234.*cannot be/),
    })
    expect(running.notices.at(-1)?.text).toMatch(/failed 3 times in the same way/)
    expect(running.progress().lastFailure).toMatchObject({ retryInMs: undefined })
    expect(counting.sink.results).toEqual([])
  })
})

describe('a stopped job', () => {
  test.each([
    [1, 4],
    [4, 1],
    [3, 5],
    [5, 2],
    [2, 2],
  ])('goes on at another parallelism: %i to %i', async (from, to) => {
    const counting = countingJob({ records: 20_000, keys: 50 })
    const store = new MemoryStore()
    const first = startJob(counting.job, { store, parallelism: from, maxParallelism: 128 })
    await untilWritten(counting.sink.written, 2_000)
    void first.stop()
    expect((await first.done).outcome).toBe('stopped')
    expect(counting.sink.results.length).toBeLessThan(20_000)
    const options = { store, parallelism: to, maxParallelism: 128, restore: 'latest' }
    const second = await runJob(counting.job, options)
    expect(second.notices[0]?.text).toMatch(/^restored from memory\/default.test\/chk-1$/)
    counting.check()
  })

  test('can be restored from one checkpoint any number of times', async () => {
    const store = new MemoryStore()
    const counting = countingJob({ records: 20_000, keys: 50 })
    const first = startJob(counting.job, { store })
    await untilWritten(counting.sink.written, 2_000)
    void first.stop()
    const { lastCheckpointPath } = await first.done
    expect(first.progress().status).toBe('stopped')
    const committed = [...counting.sink.results]
    for (let i = 0; i < 3; i++) {
      counting.sink.clear()
      const restore = lastCheckpointPath as string
      const checkpoint = { retained: 1 }
      await runJob(counting.job, { store, restore, checkpointEvery: 1, checkpoint })
      expect(committed.length + counting.sink.results.length).toBe(20_000)
    }
  })
})

describe('checkpoints', () => {
  test('as many as wanted are kept, whole, and nothing else', async () => {
    const store = new MemoryStore()
    const counting = countingJob({ records: 30_000, keys: 5 })
    const options = { store, checkpointEvery: 1, checkpoint: { retained: 2 } }
    const running = startJob(counting.job, options)
    await running.done
    const { checkpointsCompleted } = running.progress()
    expect(checkpointsCompleted).toBeGreaterThan(3)
    const keys = await keysOf(store, 'default.test/chk-')
    const folders = new Set(keys.map(key => key.split('/')[1]))
    expect(folders.size).toBe(2)
    for (const folder of folders) expect(keys).toContain(`default.test/${folder}/_metadata`)
  })

  test('that cannot be stored fail, and the job goes on with the reason shown', async () => {
    let full = true
    const inner = new MemoryStore()
    const fault = ({ operation, key }: StoreCall) =>
      full && operation === 'put' && key.includes('/chk-') ? 'full' : undefined
    const store = new FaultyObjectStore({ inner, clock: new SystemClock(), fault })
    const counting = countingJob({ records: 20_000, keys: 5 })
    const checkpoint = { tolerableFailures: 1_000 }
    const running = startJob(counting.job, { store, checkpointEvery: 1, checkpoint })
    await until(() => running.progress().checkpointsFailed >= 3)
    full = false
    const { outcome } = await running.done
    const { checkpointsFailed, checkpointsCompleted, restarts, lastCheckpointFailure } =
      running.progress()
    expect(lastCheckpointFailure).toMatch(/no space left/)
    expect({ outcome, restarts }).toEqual({ outcome: 'finished', restarts: 0 })
    expect(checkpointsFailed).toBeGreaterThanOrEqual(3)
    expect(checkpointsCompleted).toBeGreaterThan(0)
    expect(running.notices[0]?.text).toMatch(
      /^checkpoint 1 failed: .*no space left to write memory\/default.test\/chk-1\//,
    )
    counting.check()
  })

  test('too many failures in a row restart the job', async () => {
    let faults = 2
    const inner = new MemoryStore()
    const fault = ({ operation, key }: StoreCall) =>
      operation === 'put' && key.endsWith('/_metadata') && faults-- > 0 ? 'fail' : undefined
    const store = new FaultyObjectStore({ inner, clock: new SystemClock(), fault })
    const counting = countingJob(size)
    const checkpoint = { tolerableFailures: 1 }
    const result = await runJob(counting.job, { store, checkpointEvery: 1, checkpoint })
    expect(result.restarts).toBe(1)
    // A last one that was being written meanwhile may be found by the restart: told after it.
    const restarts = result.notices.filter(({ text }) => text.startsWith('restart 1'))
    expect(restarts).toHaveLength(1)
    expect(restarts[0]?.text).toMatch(/WEIR_CHECKPOINTS_FAILING {2}checkpoint 2 failed/)
    counting.check()
  })
})

describe('a damaged checkpoint', () => {
  async function stopped(): Promise<{ store: MemoryStore; resume: () => Promise<unknown> }> {
    const store = new MemoryStore()
    const counting = countingJob({ records: 20_000, keys: 50 })
    const first = startJob(counting.job, { store, checkpointEvery: 1 })
    await until(() => first.progress().checkpointsCompleted >= 2)
    void first.stop()
    await first.done
    return { store, resume: () => runJob(counting.job, { store, restore: 'latest' }) }
  }

  const damages: Record<string, (store: MemoryStore, key: string) => Promise<void>> = {
    'whose state file is truncated': async (store, key) =>
      store.put(key, (await store.get(key)).subarray(0, -1)),
    'whose state file has one bit changed': async (store, key) => {
      const bytes = await store.get(key)
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
      await store.put(key, bytes)
    },
    'whose state file is missing': (store, key) => store.delete(key),
  }
  test.each(Object.entries(damages))(
    '%s is refused by name, the one before is offered',
    async (_sentence, damage) => {
      const { store, resume } = await stopped()
      const files = (await keysOf(store)).filter(key => key.endsWith('.state'))
      const newest = files.sort((a, b) => idOf(a) - idOf(b)).at(-1) as string
      await damage(store, newest)
      await expect(resume()).rejects.toMatchObject({
        code: 'WEIR_CHECKPOINT_CORRUPT',
        message: expect.stringContaining(`memory/${newest} is `),
        next: expect.stringMatching(/--restore memory\/default.test\/chk-\d+$/),
      })
    },
  )

  test('with unreadable metadata is refused too: there is no silent step back', async () => {
    const { store, resume } = await stopped()
    const metadata = (await keysOf(store)).filter(key => key.endsWith('/_metadata'))
    const newest = metadata.sort((a, b) => idOf(a) - idOf(b)).at(-1) as string
    await store.put(newest, (await store.get(newest)).subarray(0, 100))
    await expect(resume()).rejects.toMatchObject({
      code: 'WEIR_CHECKPOINT_CORRUPT',
      message: expect.stringContaining(newest),
    })
  })
})

describe('restore', () => {
  test('latest of a job that never ran is refused', async () => {
    const counting = countingJob(size)
    await expect(runJob(counting.job, { restore: 'latest' })).rejects.toMatchObject({
      code: 'WEIR_RESTORE_NOTHING',
      message: 'nothing to restore: job default.test has never run with its checkpoints in memory',
    })
  })

  test('a path without a checkpoint is refused', async () => {
    const counting = countingJob(size)
    const restore = 'memory/default.test/chk-9'
    await expect(runJob(counting.job, { restore })).rejects.toMatchObject({
      code: 'WEIR_RESTORE_NOT_FOUND',
    })
  })

  test('of a finished job finishes again and adds nothing', async () => {
    const store = new MemoryStore()
    const counting = countingJob(size)
    await runJob(counting.job, { store })
    const again = await runJob(counting.job, { store, restore: 'latest' })
    expect(again.outcome).toBe('finished')
    counting.check()
  })
})

function idOf(key: string): number {
  return Number(/chk-(\d+)/.exec(key)?.[1])
}

function untilWritten(written: readonly unknown[], count: number): Promise<void> {
  return until(() => written.length >= count)
}

/** Lets the event loop turn until the condition holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
