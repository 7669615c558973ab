/**
 * A snapshot of many keys while the work goes on: the longest time the work stood still, and what it
 * lost meanwhile, against the same work without a snapshot, round by round. A step of the snapshot is
 * taken after each turn, as the task does; a larger budget makes the snapshot shorter and the loss
 * greater. Not measured: upload, and garbage collection of records, of which this work makes none.
 */
import { aggregatingState, reducingState } from '../../src/api/state-descriptor.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { z } from '../../src/schema/z.ts'
import {
  type HeapKeyedStateBackend,
  makeHeapBackend,
} from '../../src/state/heap/heap-keyed-state-backend.ts'
import { type BenchIo, type CaseRun, compare, defineBench, median } from './bench-harness.ts'

/** A turn of the task: about a millisecond of records, then a step of the snapshot. */
const TURN_RECORDS = 8_192
const BUDGET_MS = 0.1
/** A power of two. */
const RECORDS = 2 ** 21
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

interface Work {
  readonly job: Job
  readonly keys: Int32Array
}

function addTurn({ job, keys }: Work, from: number): void {
  for (let i = 0; i < TURN_RECORDS; i++) job.add(keys[(from + i) & (keys.length - 1)] as number)
}

/** The work by itself, in the same turns. */
function workAlone(work: Work): number {
  for (let from = 0; from < work.keys.length; from += TURN_RECORDS) addTurn(work, from)
  return work.keys.length
}

/** The work from the begin of a snapshot to its end: what is measured is the time in between. */
function workBesideSnapshot(work: Work, pauses: Pauses): CaseRun {
  const began = clock.monotonic()
  const run = work.job.backend.beginSnapshot(1)
  let longest = clock.monotonic() - began
  let count = 0
  for (let isDone = false; !isDone; count += TURN_RECORDS) {
    addTurn(work, count)
    const before = clock.monotonic()
    isDone = run.step(BUDGET_MS)
    // As the task does once the bytes are stored.
    if (isDone) run.result().release?.()
    longest = Math.max(longest, clock.monotonic() - before)
  }
  const elapsedMs = clock.monotonic() - began
  pauses.longestMs.push(longest)
  pauses.snapshotMs.push(elapsedMs)
  return { count, elapsedMs }
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
  const keys = Int32Array.from({ length: RECORDS }, () => random.int(keyCount))
  const pauses: Pauses = { longestMs: [], snapshotMs: [] }
  const work = { job, keys }
  io.report(
    await compare({
      title: `${what}, ${keyCount.toLocaleString('en-US')} keys`,
      baseline: { name: 'no snapshot', run: () => workAlone(work) },
      cases: [{ name: 'while a snapshot is written', run: () => workBesideSnapshot(work, pauses) }],
    }),
  )
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
