/** A failure restarts the failover regions that it touches; the others go on as if nothing were. */
import { expect, test } from '@jest/globals'
import { type Job, job } from '../../src/api/job.ts'
import type { Sink } from '../../src/api/sink.ts'
import type { StreamEnvironment } from '../../src/api/stream-environment.ts'
import { readSnapshot } from '../../src/cluster/jobmanager/job-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { type CollectSink, collectSink } from '../../src/testing/collect-sink.ts'
import { failOnce } from '../../src/testing/fail-once.ts'
import { type RunJobOptions, startJob } from '../../src/testing/run-job.ts'
import type { Counted } from './counting-job.ts'
import { pacedSource } from './paced-source.ts'

const RECORDS = 3_000
const PARALLELISM = 3
const all = Array.from({ length: RECORDS }, (_, n) => n)

interface Sliced {
  readonly job: Job
  readonly build: (env: StreamEnvironment) => void
  readonly sink: CollectSink<number>
  /** Each start of a subtask: `<index>.<attempt>`. */
  readonly opened: string[]
  /** Records that each subtask took, over all its attempts. */
  readonly taken: number[]
}

/** Each subtask is a region; record n is read by subtask n mod 3. */
function sliced(failsAt: (n: number) => boolean): Sliced {
  const sink = collectSink<number>()
  const opened: string[] = []
  const taken = Array.from({ length: PARALLELISM }, () => 0)
  const noted: Sink<number> = {
    ...sink,
    createWriter(context, state) {
      opened.push(`${context.runtime.subtaskIndex}.${context.runtime.attempt}`)
      return sink.createWriter(context, state as never)
    },
  }
  const build = (env: StreamEnvironment): void => {
    env
      .from(pacedSource({ records: RECORDS, perCheckpoint: 100 }))
      .uid('numbers')
      .map(n => {
        taken[n % PARALLELISM] = (taken[n % PARALLELISM] ?? 0) + 1
        if (failsAt(n)) throw new Error(`record ${n} fails`)
        return n
      })
      .to(noted)
      .uid('out')
  }
  return { job: job(build), build, sink, opened, taken }
}

function start({ job: definition }: Sliced, options: RunJobOptions = {}) {
  return startJob(definition, { parallelism: PARALLELISM, checkpointEvery: 1, ...options })
}

const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)
const sum = (counts: Readonly<Record<string, number>> = {}) =>
  Object.values(counts).reduce((total, count) => total + count, 0)

/** Fails at this record, once. */
function once(record: number): (n: number) => boolean {
  let thrown = false
  return n => {
    const fails = n === record && !thrown
    thrown ||= fails
    return fails
  }
}

test('only the region that failed is restarted, and the output is exact', async () => {
  const store = new MemoryStore()
  const bench = sliced(once(1_501))
  const running = start(bench, { store })
  const result = await running.done
  expect(result).toMatchObject({ outcome: 'finished', restarts: 1 })
  expect(bench.opened.toSorted()).toEqual(['0.0', '1.0', '1.1', '2.0'])
  expect(sorted(bench.sink.results)).toEqual(all)
  // Who was not touched took every record of it once.
  expect([bench.taken[0], bench.taken[2]]).toEqual([1_000, 1_000])
  expect(bench.taken[1]).toBeGreaterThan(1_000)
  expect(running.notices[0]?.text).toMatch(
    /^restart 1, of 1 of 3 failover regions, in 0ms: WEIR_USER_FUNCTION_FAILED .*record 1501/,
  )
})

test('the proof goes on over the restart of a region', async () => {
  const store = new MemoryStore()
  const bench = sliced(once(1_501))
  const result = await start(bench, { store }).done
  const path = result.lastCheckpointPath?.replace('memory/', '') ?? ''
  const { proof, generation } = await readSnapshot(store, path, undefined)
  expect(generation).toBe(1)
  expect(proof.recordsPerSplit.numbers).toEqual({ '0/3': 1_000, '1/3': 1_000, '2/3': 1_000 })
  expect(sum(proof.recordsPerSink)).toBe(RECORDS)
})

test('without a checkpoint a region starts from the beginning, the others go on', async () => {
  const bench = sliced(once(31))
  const running = start(bench, { checkpointEvery: '1h' })
  // Readers wait for a checkpoint that nobody takes: the failure comes before it.
  await until(() => bench.taken.join() === '100,111,100')
  await running.stop()
  expect(bench.opened.toSorted()).toEqual(['0.0', '1.0', '1.1', '2.0'])
  expect(sorted(bench.sink.results)).toEqual(all.slice(0, 300))
})

test('regions that fail one after the other are restarted one after the other', async () => {
  const [first, second] = [once(900), once(1_802)]
  const bench = sliced(n => first(n) || second(n))
  const result = await start(bench).done
  expect(result).toMatchObject({ outcome: 'finished', restarts: 2 })
  expect(bench.opened.filter(name => name.startsWith('1.'))).toEqual(['1.0'])
  expect(bench.opened).toHaveLength(PARALLELISM + 2)
  expect(sorted(bench.sink.results)).toEqual(all)
})

test('a region that fails in the same way for ever ends the job', async () => {
  const bench = sliced(n => n === 1_501)
  // The other regions may complete checkpoints for a while: that is progress, too.
  const running = start(bench, { restart: { attempts: 50 } })
  const result = await running.done
  expect(result.outcome).toBe('failed')
  expect(result.error).toMatchObject({ message: expect.stringContaining('record 1501 fails') })
  expect(running.notices.at(-1)?.text).toMatch(/failed 3 times in the same way/)
})

test('a stop while a region waits for its restart ends the job at its last checkpoint', async () => {
  const store = new MemoryStore()
  let isBroken = true
  const bench = sliced(n => isBroken && n === 1_501)
  const running = start(bench, { store, restart: { initialDelayMs: 3_600_000 } })
  await until(() => running.progress().status === 'restarting')
  expect((await running.stop()).outcome).toBe('stopped')
  isBroken = false
  await start(bench, { store, restore: 'latest' }).done
  expect(sorted(bench.sink.results)).toEqual(all)
})

test('a pipeline that shuffles fails as a whole, and the slices beside it go on', async () => {
  const slices = sliced(() => false)
  const counts = collectSink<Counted>()
  const both = job(env => {
    slices.build(env)
    env
      .from(pacedSource({ records: 900, perCheckpoint: 60 }))
      .uid('shuffled')
      .map(failOnce<number>(400))
      .map((n): Counted => ({ key: `k${n % 7}`, count: 1 }))
      .keyBy(one => one.key)
      .reduce((a, b) => ({ key: a.key, count: a.count + b.count }))
      .uid('counts')
      .to(counts)
      .uid('counts-out')
  })
  const running = startJob(both, { parallelism: PARALLELISM, checkpointEvery: 1 })
  expect(await running.done).toMatchObject({ outcome: 'finished', restarts: 1 })
  expect(running.notices[0]?.text).toContain('of 1 of 4 failover regions')
  expect(slices.opened.toSorted()).toEqual(['0.0', '1.0', '2.0'])
  expect(slices.taken).toEqual([1_000, 1_000, 1_000])
  expect(sorted(slices.sink.results)).toEqual(all)
  expect(new Set(counts.results.map(({ key, count }) => `${key}: ${count}`)).size).toBe(900)
  expect(counts.results).toHaveLength(900)
})

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise(resolve => setImmediate(resolve))
}
