/** Whole jobs whose sink takes nothing: unaligned checkpoints complete, and are gone on from. */
import { describe, expect, test } from '@jest/globals'
import { type Job, job } from '../../src/api/job.ts'
import { readMetadata } from '../../src/checkpoint/metadata-text.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { collectionSource } from '../../src/connectors/collection/collection-source.ts'
import type { BarrierAlignment } from '../../src/runtime/task-contract.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { FaultyObjectStore, type StoreCall } from '../../src/testing/faulty-object-store.ts'
import { type RunJobOptions, type RunningJob, runJob, startJob } from '../../src/testing/run-job.ts'
import { type GatedSink, gatedSink } from './gated-sink.ts'

const RECORDS = 12_000
/** For jobs that run many times. */
const FEW = 1_500
const KEYS = 7
const MAX_PARALLELISM = 128

const unaligned: BarrierAlignment = { kind: 'unaligned' }
const numberType = typeOf(z.int())

/** The numbers, shuffled by key twice, kept in order by key, with a state that counts them. */
function orderedJob(sink: GatedSink<number>, records = RECORDS): Job {
  return job(env =>
    env
      .from(collectionSource(Array.from({ length: records }, (_, n) => n)))
      .uid('numbers')
      .map(n => n, numberType)
      .keyBy(n => n % KEYS)
      .reduce((_, n) => n)
      .uid('last')
      .keyBy(n => n % KEYS)
      .reduce((_, n) => n)
      .uid('again')
      .to(sink)
      .uid('out'),
  )
}

/** The same, over edges without keys: no order is promised. */
function spreadJob(sink: GatedSink<number>): Job {
  return job(env =>
    env
      .from(collectionSource(Array.from({ length: RECORDS }, (_, n) => n)))
      .uid('numbers')
      .shuffle()
      .map(n => n, numberType)
      .partitionCustom(
        n => n,
        (key, channels) => key % channels,
      )
      .map(n => n, numberType)
      .rebalance()
      .map(n => n, numberType)
      .global()
      .map(n => n, numberType)
      .rebalance()
      .to(sink)
      .uid('out'),
  )
}

/** Turns of the event loop: far more than any of these jobs needs. */
const TURNS_MAX = 300_000

async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    if (turns > TURNS_MAX) throw new Error('it does not come')
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Starts, lets the sink take some records, and waits for checkpoints of what is stuck. */
async function stuckJob(
  made: Job,
  sink: GatedSink<number>,
  options: RunJobOptions,
): Promise<RunningJob> {
  sink.limit(500)
  const running = startJob(made, { checkpointEvery: 1, ...options })
  await until(() => sink.written.length >= 500)
  const { checkpointsCompleted } = running.progress()
  await until(() => running.progress().checkpointsCompleted > checkpointsCompleted + 3)
  return running
}

/** What is kept with the newest checkpoint, in bytes in flight. */
async function inFlightBytes(store: MemoryStore): Promise<number> {
  const keys = (await store.list('default.test/chk-')).map(entry => entry.key)
  const idOf = (key: string): number => Number(/chk-(\d+)/.exec(key)?.[1])
  const newest = keys
    .filter(key => key.endsWith('/_metadata'))
    .sort((a, b) => idOf(a) - idOf(b))
    .at(-1) as string
  const metadata = readMetadata(await store.get(newest), { path: newest, previous: undefined })
  return metadata.edges
    .flatMap(edge => edge.channels)
    .reduce((sum, { section }) => sum + (section?.length ?? 0), 0)
}

function checkAll(results: readonly number[], count = RECORDS): void {
  expect(results.length).toBe(count)
  expect(new Set(results).size).toBe(count)
}

/** What one split says of one key comes out in its order. */
function checkOrder(results: readonly number[], splits: number): void {
  const last = new Map<string, number>()
  for (const n of results) {
    const path = `${n % KEYS}/${n % splits}`
    expect(n).toBeGreaterThan(last.get(path) ?? -1)
    last.set(path, n)
  }
}

const moves = [
  [2, 2],
  [1, 4],
  [4, 1],
  [3, 5],
  [5, 2],
] as const

describe.each(moves)('unaligned, from %i to %i subtasks', (from, to) => {
  const base = { maxParallelism: MAX_PARALLELISM, checkpoint: { alignment: unaligned } }

  async function move(makeJob: (sink: GatedSink<number>) => Job): Promise<GatedSink<number>> {
    const store = new MemoryStore()
    const sink = gatedSink<number>()
    const running = await stuckJob(makeJob(sink), sink, { ...base, store, parallelism: from })
    running.cancel()
    await running.done
    expect(await inFlightBytes(store)).toBeGreaterThan(1_000)
    expect(sink.results.length).toBeLessThan(RECORDS)
    sink.open()
    await runJob(makeJob(sink), { ...base, store, parallelism: to, restore: 'latest' })
    return sink
  }

  test('keyed edges: nothing is lost, doubled or reordered', async () => {
    const { results } = await move(orderedJob)
    checkAll(results)
    checkOrder(results, from)
  })

  test('shuffle, custom, rebalance and global edges: nothing is lost or doubled', async () => {
    checkAll((await move(spreadJob)).results)
  })
})

test('an aligned job does not get past a sink that takes nothing; with a timeout it does', async () => {
  const sink = gatedSink<number>()
  const aligned = startJob(orderedJob(sink), { checkpointEvery: 1, parallelism: 2 })
  sink.limit(500)
  await until(() => sink.written.length >= 500)
  for (let turns = 0; turns < 200; turns++) await new Promise(resolve => setImmediate(resolve))
  const { checkpointsCompleted } = aligned.progress()
  for (let turns = 0; turns < 500; turns++) await new Promise(resolve => setImmediate(resolve))
  expect(aligned.progress().checkpointsCompleted).toBe(checkpointsCompleted)
  aligned.cancel()
  await aligned.done
  sink.clear()
  const alignment: BarrierAlignment = { kind: 'timeout', timeoutMs: 5 }
  const checkpoint = { alignment }
  const running = await stuckJob(orderedJob(sink), sink, { checkpoint, parallelism: 2 })
  sink.open()
  expect((await running.done).outcome).toBe('finished')
  checkAll(sink.results)
})

describe.each(['before', 'after'] as const)('the process dies %s a call to the store', when => {
  const settings = {
    checkpointEvery: 1,
    checkpoint: { alignment: unaligned, retained: 2 },
    maxParallelism: MAX_PARALLELISM,
  } as const

  /** Runs with a sink that takes little until the store dies at this call. */
  async function runUntilDeath(
    sink: GatedSink<number>,
    inner: MemoryStore,
    call: number,
  ): Promise<string> {
    let lastCall = ''
    const fault = ({ number, operation, key }: StoreCall) => {
      if (lastCall !== '') return 'fail'
      if (number < call) return undefined
      lastCall = `${operation} ${key}`
      // The dying process hears nothing any more: what it would do next must not matter.
      queueMicrotask(() => running.cancel())
      return when === 'before' ? 'fail' : 'lose-answer'
    }
    const store = new FaultyObjectStore({ inner, clock: new SystemClock(), fault })
    sink.limit(50)
    const running = startJob(orderedJob(sink, FEW), {
      ...settings,
      store,
      parallelism: 2,
      restart: { strategy: 'none' },
    })
    await running.done
    return lastCall
  }

  test('whatever the call, the next one goes on exactly', async () => {
    const died = new Set<string>()
    let inFlight = 0
    for (let call = 1; call < 90; call += 3) {
      const sink = gatedSink<number>()
      const store = new MemoryStore()
      const lastCall = await runUntilDeath(sink, store, call)
      died.add(lastCall.replaceAll(/\d+/g, 'n'))
      sink.open()
      const again = { ...settings, store, parallelism: 3 }
      const hasCheckpoint = (await store.list('default.test/chk-')).some(entry =>
        entry.key.endsWith('/_metadata'),
      )
      if (hasCheckpoint) inFlight += await inFlightBytes(store)
      await runJob(orderedJob(sink, FEW), { ...again, restore: 'latest' }).catch(
        (error: unknown) => {
          // Before anything ran there is nothing to go on from.
          expect(error).toMatchObject({ code: 'WEIR_RESTORE_NOTHING' })
          return runJob(orderedJob(sink, FEW), again)
        },
      )
      checkAll(sink.results, FEW)
    }
    expect(inFlight).toBeGreaterThan(10_000)
    expect([...died].some(one => one.endsWith('.state'))).toBe(true)
    expect([...died].some(one => one.endsWith('_metadata'))).toBe(true)
  }, 120_000)
})
