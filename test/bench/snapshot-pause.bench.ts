/**
 * A snapshot of many keys while the work goes on: the longest time the work stood still, and what it
 * lost, against the same work without a snapshot, round by round. A step of the snapshot is taken
 * after each batch of records, as the task does. Not measured: upload, and garbage collection of
 * records, of which this work makes none.
 */
import { aggregatingState, reducingState } from '../../src/api/state-descriptor.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { z } from '../../src/schema/z.ts'
import {
  type HeapKeyedStateBackend,
  makeHeapBackend,
} from '../../src/state/heap/heap-keyed-state-backend.ts'
import { type BenchCase, type BenchIo, compare, defineBench, median } from './bench-harness.ts'

const BATCH = 1_000
const BUDGET_MS = 1
const clock = new SystemClock()

/** Keyed work that can be snapshotted. */
interface Job {
  readonly backend: HeapKeyedStateBackend
  add(key: number): void
}

function openBackend(): HeapKeyedStateBackend {
  return makeHeapBackend({
    operatorName: 'bench',
    maxParallelism: 128,
    range: { start: 0, end: 127 },
    clock,
  })
}

function doubleJob(): Job {
  const backend = openBackend()
  const state = backend.state(
    'sum',
    reducingState<number>((a, b) => a + b, z.number()),
  )
  return {
    backend,
    add(key) {
      backend.setCurrentKey(key)
      state.add(1)
    },
  }
}

function objectJob(): Job {
  const backend = openBackend()
  const accumulator = z.object({ count: z.int32(), sum: z.number() })
  const state = backend.state(
    'total',
    aggregatingState<number, { count: number; sum: number }, number>({
      accumulator,
      create: () => ({ count: 0, sum: 0 }),
      add: (value, acc) => {
        acc.count++
        acc.sum += value
        return acc
      },
      result: acc => acc.sum,
    }),
  )
  return {
    backend,
    add(key) {
      backend.setCurrentKey(key)
      state.add(1)
    },
  }
}

interface Pauses {
  readonly longestMs: number[]
  readonly snapshotMs: number[]
}

function makeCase(name: string, work: Work, pauses: Pauses | undefined): BenchCase {
  return { name, run: () => runWork(work, pauses) }
}

interface Work {
  readonly job: Job
  readonly keys: Int32Array
}

function runWork({ job, keys }: Work, pauses: Pauses | undefined): number {
  let longest = 0
  const began = clock.monotonic()
  let run = pauses === undefined ? undefined : job.backend.beginSnapshot(1)
  longest = clock.monotonic() - began
  for (let from = 0; from < keys.length; from += BATCH) {
    for (let i = from; i < from + BATCH; i++) job.add(keys[i] as number)
    if (run === undefined) continue
    const before = clock.monotonic()
    const isDone = run.step(BUDGET_MS)
    if (isDone) {
      run.result()
      run = undefined
      pauses?.snapshotMs.push(clock.monotonic() - began)
    }
    longest = Math.max(longest, clock.monotonic() - before)
  }
  pauses?.longestMs.push(longest)
  return keys.length
}

/** The longest batch while the table grows from nothing: growth must not stop the work either. */
function fill({ job, keys }: Work): number {
  let longest = 0
  for (let from = 0; from < keys.length; from += 100) {
    const before = clock.monotonic()
    for (let i = from; i < from + 100; i++) job.add(keys[i] as number)
    longest = Math.max(longest, clock.monotonic() - before)
  }
  return longest
}

function usedBytes(): number {
  const { gc } = globalThis as { gc?: () => void }
  gc?.()
  gc?.()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + Math.max(external, arrayBuffers)
}

async function measure(io: BenchIo, what: string, open: () => Job): Promise<void> {
  const keyCount = io.count('keys', 1_000_000)
  const random = new SeededRandom(7)
  const all = Int32Array.from({ length: keyCount }, (_, i) => i)
  for (let i = keyCount - 1; i > 0; i--) {
    const j = random.int(i + 1)
    const swapped = all[i] as number
    all[i] = all[j] as number
    all[j] = swapped
  }
  const before = usedBytes()
  const job = open()
  const growthMs = fill({ job, keys: all })
  const bytes = (usedBytes() - before) / keyCount
  io.print(
    `${what}: ${bytes.toFixed(1)} bytes a key; longest 100 records while growing ${growthMs.toFixed(2)} ms`,
  )
  const keys = Int32Array.from({ length: io.count('records', 4_000_000) }, () =>
    random.int(keyCount),
  )
  const pauses: Pauses = { longestMs: [], snapshotMs: [] }
  const comparison = await compare({
    title: `${what}, ${keyCount.toLocaleString('en-US')} keys`,
    baseline: makeCase('no snapshot', { job, keys }, undefined),
    cases: [makeCase('one snapshot in the run', { job, keys }, pauses)],
  })
  io.report(comparison)
  io.print(
    `longest pause: median ${median(pauses.longestMs).toFixed(2)} ms, ` +
      `worst ${Math.max(...pauses.longestMs).toFixed(2)} ms; ` +
      `a snapshot took ${median(pauses.snapshotMs).toFixed(0)} ms\n`,
  )
}

export const snapshotPause = defineBench({
  name: 'snapshot-pause',
  summary: 'longest pause and lost throughput of a snapshot of 1e6 keys, bytes a key',
  async run(io) {
    await measure(io, 'a double a key', doubleJob)
    await measure(io, 'an object a key', objectJob)
  },
})
