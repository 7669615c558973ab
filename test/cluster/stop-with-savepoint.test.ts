/** Whole jobs that are stopped: what reaches the sinks, what is kept, what a failure leads to. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { counting as countAll } from '../../src/api/aggregates.ts'
import { job } from '../../src/api/job.ts'
import { tumbling } from '../../src/api/windows/tumbling-windows.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SystemRandom } from '../../src/common/random.ts'
import { LocalFolderStore } from '../../src/storage/local-folder-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import type { ObjectBytes } from '../../src/storage/object-store.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'
import { FaultyObjectStore } from '../../src/testing/faulty-object-store.ts'
import { runJob, startJob } from '../../src/testing/run-job.ts'
import { countingJob } from './counting-job.ts'
import { pacedSource } from './paced-source.ts'

const size = { records: 600, keys: 7, perCheckpoint: 60 }
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-stop-'))
  folders.push(folder)
  return folder
}

test('what the savepoint holds is committed at its end, and nothing else', async () => {
  const store = new MemoryStore()
  const counting = countingJob(size)
  const first = startJob(counting.job, { store, parallelism: 3, maxParallelism: 64 })
  await until(() => counting.sink.written.length >= 60)
  const { outcome, savepointPath, lastCheckpointPath } = await first.stop({ savepoint: true })
  expect(outcome).toBe('stopped')
  expect(savepointPath).toBe('memory/default.test/savepoints/savepoint-1')
  expect(lastCheckpointPath).toBe(savepointPath)
  const metadata = JSON.parse(
    (await store.get('default.test/savepoints/savepoint-1/_metadata')).toString(),
  )
  const read = Object.values(metadata.proof.recordsPerSplit.numbers as Record<string, number>)
  expect(counting.sink.results).toHaveLength(read.reduce((sum, count) => sum + count, 0))
  expect(counting.sink.results.length).toBeLessThan(size.records)
  const options = { store, parallelism: 2, maxParallelism: 64, checkpointEvery: 1 }
  await runJob(counting.job, { ...options, restore: savepointPath as string })
  counting.check()
})

/** Keeps the parts of checkpoints back until they are let go. */
class HeldStore extends MemoryStore {
  readonly #held = Promise.withResolvers<void>()
  isHolding = false

  letGo(): void {
    this.#held.resolve()
  }

  override async put(key: string, bytes: ObjectBytes): Promise<void> {
    if (/chk-\d+\/.*\.state$/.test(key)) {
      this.isHolding = true
      await this.#held.promise
    }
    await super.put(key, bytes)
  }
}

describe('when all input is over, and the last checkpoint is being taken', () => {
  const start = async () => {
    const store = new HeldStore()
    const counting = countingJob({ records: 600, keys: 7 })
    const running = startJob(counting.job, { store, parallelism: 2, maxParallelism: 64 })
    await until(() => store.isHolding)
    return { store, counting, running }
  }

  test('a savepoint can still be taken', async () => {
    const { store, counting, running } = await start()
    expect(await running.savepoint()).toMatch(/savepoint-2$/)
    store.letGo()
    expect(await running.done).toMatchObject({ outcome: 'finished', savepointPath: undefined })
    counting.check()
  })

  test('the job can still be stopped with one', async () => {
    const { store, counting, running } = await start()
    const { outcome, savepointPath } = await running.stop({ savepoint: true })
    store.letGo()
    expect({ outcome, savepointPath }).toEqual({
      outcome: 'stopped',
      savepointPath: 'memory/default.test/savepoints/savepoint-2',
    })
    counting.check()
  })
})

test('`latest` goes on from the savepoint, which is later than any checkpoint', async () => {
  const store = new MemoryStore()
  const counting = countingJob(size)
  const first = startJob(counting.job, { store, checkpointEvery: 1 })
  await until(() => first.progress().checkpointsCompleted >= 2)
  const { savepointPath } = await first.stop({ savepoint: true })
  const second = await runJob(counting.job, { store, checkpointEvery: 1, restore: 'latest' })
  expect(second.notices[0]?.text).toBe(`restored from ${savepointPath}`)
  counting.check()
})

test('a savepoint is a folder that can be copied; the original may go', async () => {
  const folder = makeFolder()
  const store = new LocalFolderStore({ folder: join(folder, 'here'), random: new SystemRandom() })
  const counting = countingJob(size)
  const first = startJob(counting.job, { store, parallelism: 2, maxParallelism: 8 })
  await until(() => counting.sink.written.length >= 60)
  const { savepointPath } = await first.stop({ savepoint: true })
  const copy = join(folder, 'there/moved')
  cpSync(savepointPath as string, copy, { recursive: true })
  rmSync(join(folder, 'here'), { recursive: true })
  const options = { maxParallelism: 8, restore: copy, checkpointEvery: 1 } as const
  await runJob(counting.job, { ...options, parallelism: 3 })
  counting.check()
})

describe('windows', () => {
  const windowsOf = (records: number) => {
    const sink = collectSink<number>()
    const source = pacedSource({ records, perCheckpoint: 50 })
    return {
      sink,
      job: job(env =>
        env
          .from(source, w => w.monotonous().timestamp(n => n))
          .uid('numbers')
          .keyBy(() => 'all')
          .window(tumbling('1h'))
          .aggregate(countAll())
          .uid('windows')
          .to(sink)
          .uid('out'),
      ),
    }
  }

  test.each([
    [false, []],
    [true, [expect.any(Number)]],
  ])('fire at the end where event time was ended first: %s', async (drain, results) => {
    const store = new MemoryStore()
    const { job, sink } = windowsOf(5_000)
    const running = startJob(job, { store, checkpointEvery: 1 })
    await until(() => running.progress().checkpointsCompleted >= 2)
    const { savepointPath } = await running.stop({ savepoint: true, drain })
    expect(sink.results).toEqual(results)
    const metadata = await store.get(`${savepointPath?.slice('memory/'.length)}/_metadata`)
    const proof = JSON.parse(metadata.toString()).proof.recordsPerSplit.numbers
    const [read] = Object.values(proof as Record<string, number>)
    if (drain) expect(sink.results).toEqual([read])
    else {
      // What was not fired is in the savepoint.
      const restore = savepointPath as string
      await runJob(job, { store, restore, checkpointEvery: 1 })
      expect(sink.results).toEqual([5_000])
    }
  })

  test('a plain stop drains, too, when it is told to', async () => {
    const { job, sink } = windowsOf(5_000)
    const running = startJob(job, { checkpointEvery: 1 })
    await until(() => running.progress().checkpointsCompleted >= 2)
    expect(await running.stop({ drain: true })).toMatchObject({ savepointPath: undefined })
    expect(sink.results).toHaveLength(1)
  })
})

describe('a failure', () => {
  test('before the savepoint completed: the job goes on, and the order is over', async () => {
    let fails = true
    const inner = new MemoryStore()
    const fault = ({ key }: { readonly key: string }) =>
      fails && key.includes('/savepoints/') ? 'fail' : undefined
    const store = new FaultyObjectStore({ inner, clock: new SystemClock(), fault })
    const counting = countingJob(size)
    const running = startJob(counting.job, { store, checkpointEvery: 1 })
    await until(() => counting.sink.written.length >= 60)
    await expect(running.stop({ savepoint: true })).rejects.toMatchObject({
      code: 'WEIR_STOP_FAILED',
      message: expect.stringMatching(/savepoint \d+ failed: .*savepoints/),
    })
    fails = false
    const { outcome, restarts, savepointPath } = await running.done
    expect({ outcome, restarts, savepointPath }).toEqual({ outcome: 'finished', restarts: 1 })
    counting.check()
  })

  test('after it: the job goes on from the savepoint, and says so', async () => {
    const sink = collectSink<{ key: string; count: number }>()
    let fails = false
    const makeCommitter = sink.createCommitter?.bind(sink) as NonNullable<
      typeof sink.createCommitter
    >
    sink.createCommitter = async context => {
      const committer = await makeCommitter(context)
      return {
        ...committer,
        commit(requests) {
          if (!fails) return committer.commit(requests)
          fails = false
          for (const request of requests) request.failed(new Error('the target is away'))
          return undefined
        },
      }
    }
    const fault = ({ key, operation }: { readonly key: string; readonly operation: string }) => {
      if (operation === 'put' && /savepoints.*_metadata/.test(key)) fails = true
      return undefined
    }
    const store = new FaultyObjectStore({
      inner: new MemoryStore(),
      clock: new SystemClock(),
      fault,
    })
    const counting = countingJob({ ...size, sink })
    const running = startJob(counting.job, { store })
    await until(() => sink.written.length >= 60)
    const error = await running.stop({ savepoint: true }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'WEIR_STOP_UNFINISHED',
      message: expect.stringMatching(/savepoint-\d+ completed, but .*the target is away/),
    })
    expect(running.notices.some(({ text }) => /but the job failed before/.test(text))).toBe(true)
    // Twice: each phase can be repeated.
    await until(() => running.progress().status === 'running')
    const restored = running.notices.findLast(({ text }) => text.startsWith('restored from'))
    expect(restored?.text).toMatch(/savepoint-\d+$/)
    const { outcome, savepointPath } = await running.stop({ savepoint: true })
    expect(outcome).toBe('stopped')
    await runJob(counting.job, { store, checkpointEvery: 1, restore: savepointPath as string })
    counting.check()
  })

  test('of an order while nothing runs: it is refused, and a plain stop is not', async () => {
    const counting = countingJob({
      ...size,
      map: () => {
        throw new Error('always')
      },
    })
    const restart = { strategy: 'fixed-delay', initialDelayMs: 60_000 } as const
    const running = startJob(counting.job, { restart })
    await until(() => running.progress().status === 'restarting')
    await expect(running.stop({ savepoint: true })).rejects.toMatchObject({
      code: 'WEIR_STOP_REFUSED',
    })
    expect((await running.stop()).outcome).toBe('stopped')
  })

  test('a cancel answers who waits for the stop', async () => {
    const counting = countingJob(size)
    const running = startJob(counting.job)
    await until(() => running.progress().status === 'running')
    const stopping = running.stop({ savepoint: true })
    running.cancel()
    expect((await stopping).outcome).toBe('cancelled')
  })
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
