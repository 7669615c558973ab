/**
 * A job goes on from a checkpoint or a savepoint at another parallelism, also after its code
 * changed: operators that are new, gone, or chained differently. Whole jobs; what must come out
 * follows from the input alone.
 */
import { describe, expect, test } from '@jest/globals'
import { counting } from '../../src/api/aggregates.ts'
import { type Job, job } from '../../src/api/job.ts'
import { session } from '../../src/api/windows/session-windows.ts'
import { tumbling } from '../../src/api/windows/tumbling-windows.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'
import { runJob, startJob } from '../../src/testing/run-job.ts'
import { pacedSource } from './paced-source.ts'

const KEYS = 11
const RECORDS = KEYS * 100
/** Each holds ten records of each key. */
const WINDOW_MS = KEYS * 10
const maxParallelism = 24

/** What the branches of the job wrote, over all its versions. */
function makeSinks() {
  return {
    all: collectSink<number>('all'),
    panes: collectSink<number>('panes'),
    sessions: collectSink<number>('sessions'),
    totals: collectSink<number>('totals'),
  }
}

interface Version {
  /** Another chain: what was in one task with the source is not any more. */
  readonly isSplit?: boolean
  readonly hasPanes?: boolean
  readonly hasTotals?: boolean
}

function version(sinks: ReturnType<typeof makeSinks>, options: Version): Job {
  const { isSplit = false, hasPanes = true, hasTotals = false } = options
  return job(env => {
    const source = env
      .from(pacedSource({ records: RECORDS, perCheckpoint: 40 }), w =>
        w.monotonous().timestamp(n => n),
      )
      .uid('numbers')
    const numbers = isSplit ? source.rebalance().map(n => n) : source.map(n => n)
    const keyed = numbers.keyBy(n => n % KEYS)
    const ones = numbers.map(() => 1)
    const count = (uid: string) =>
      ones
        .keyBy(() => 0)
        .reduce((a, b) => a + b)
        .uid(uid)
    count('all').to(sinks.all).uid('all-out')
    keyed
      .window(session('1s'))
      .aggregate(counting())
      .uid('sessions')
      .to(sinks.sessions)
      .uid('sessions-out')
    if (hasPanes) {
      const panes = keyed.window(tumbling(WINDOW_MS)).aggregate(counting()).uid('panes')
      panes.to(sinks.panes).uid('panes-out')
    }
    if (hasTotals) count('totals').to(sinks.totals).uid('totals-out')
  })
}

function check(sinks: ReturnType<typeof makeSinks>, { hasPanes = true }: Version = {}): void {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1)
  expect(sinks.all.results.toSorted((a, b) => a - b)).toEqual(upTo(RECORDS))
  expect(sinks.sessions.results).toEqual(upTo(KEYS).map(() => RECORDS / KEYS))
  if (hasPanes) expect(sinks.panes.results).toEqual(upTo(RECORDS / 10).map(() => 10))
}

type Way = 'checkpoint' | 'savepoint' | 'final savepoint'

/** Runs the job half-way; gives what to restore. */
async function runHalf(
  first: Job,
  options: { readonly store: MemoryStore; readonly parallelism: number },
  way: Way,
): Promise<string> {
  const running = startJob(first, { ...options, maxParallelism, checkpointEvery: 1 })
  await until(() => running.progress().checkpointsCompleted >= 2)
  if (way === 'final savepoint') {
    return (await running.stop({ savepoint: true })).savepointPath as string
  }
  // The snapshot is the last thing that happens before the end.
  let path = 'latest'
  if (way === 'savepoint') path = await running.savepoint()
  running.cancel()
  await running.done
  return path
}

describe.each<[number, number]>([
  [1, 4],
  [4, 1],
  [3, 5],
  [5, 2],
])('from parallelism %i to %i', (from, to) => {
  test.each<Way>(['checkpoint', 'final savepoint'])('by a %s', async way => {
    const store = new MemoryStore()
    const sinks = makeSinks()
    const before = version(sinks, {})
    const restore = await runHalf(before, { store, parallelism: from }, way)
    const options = { store, parallelism: to, maxParallelism, checkpointEvery: 1, restore } as const
    await runJob(before, options)
    check(sinks)
  })

  test('by a final savepoint, with other chains and a new operator', async () => {
    const store = new MemoryStore()
    const sinks = makeSinks()
    const before = version(sinks, { isSplit: from > to })
    const restore = await runHalf(before, { store, parallelism: from }, 'final savepoint')
    const seen = sinks.all.results.length
    const options = { store, parallelism: to, maxParallelism, checkpointEvery: 1, restore } as const
    await runJob(version(sinks, { isSplit: from < to, hasTotals: true }), options)
    check(sinks)
    // The new one saw what came after the savepoint.
    expect(Math.max(...sinks.totals.results)).toBe(RECORDS - seen)
  })
})

test('a savepoint of a job that went on holds its cut, and is restored any number of times', async () => {
  const store = new MemoryStore()
  const sinks = makeSinks()
  const before = version(sinks, {})
  const restore = await runHalf(before, { store, parallelism: 2 }, 'savepoint')
  for (const parallelism of [1, 3]) {
    const again = makeSinks()
    const options = { store, parallelism, maxParallelism, checkpointEvery: 1, restore } as const
    await runJob(version(again, {}), options)
    // What the savepoint held uncommitted is not in these sinks; what came after it is.
    const counts = again.all.results.toSorted((a, b) => a - b)
    expect(counts.at(-1)).toBe(RECORDS)
    expect(counts).toEqual(counts.map((_, i) => (counts[0] as number) + i))
  }
})

test('an operator that is gone is refused with its name, unless its state may go', async () => {
  const store = new MemoryStore()
  const sinks = makeSinks()
  const restore = await runHalf(version(sinks, {}), { store, parallelism: 2 }, 'final savepoint')
  const options = { store, parallelism: 3, maxParallelism, checkpointEvery: 1, restore } as const
  const after = version(sinks, { hasPanes: false })
  const keys = async () => (await store.list('')).map(({ key }) => key)
  const before = await keys()
  await expect(runJob(after, options)).rejects.toMatchObject({
    code: 'WEIR_RESTORE_STATE_LEFT',
    message: expect.stringMatching(/uid panes\)/),
  })
  // T5: no generation was taken.
  expect(await keys()).toEqual(before)
  await runJob(after, { ...options, dropState: ['panes'] })
  check(sinks, { hasPanes: false })
})

test('T5: a refused start leaves a run of the same job alone', async () => {
  const store = new MemoryStore()
  const sinks = makeSinks()
  const job = version(sinks, {})
  const running = startJob(job, { store, maxParallelism, checkpointEvery: 1 })
  await until(() => running.progress().checkpointsCompleted >= 2)
  const refused = { store, restore: 'latest', maxParallelism: 32 } as const
  await expect(runJob(job, refused)).rejects.toMatchObject({
    code: 'WEIR_RESTORE_MAX_PARALLELISM',
    next: expect.stringContaining('spec.maxParallelism'),
  })
  expect((await running.done).restarts).toBe(0)
  check(sinks)
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
