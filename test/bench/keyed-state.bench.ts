/**
 * Read-modify-write of one accumulator a key, uniform random keys, against the `Map` that a program
 * without an engine would keep. String keys are fresh pieces of a larger text, as a decoder makes
 * them. Not measured: what makes the records, and the cost of snapshots (`snapshot-pause`).
 */
import { aggregatingState, reducingState, valueState } from '../../src/api/state-descriptor.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { cloneFunction } from '../../src/common/clone-function.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { z } from '../../src/schema/z.ts'
import {
  type HeapKeyedStateBackend,
  makeHeapBackend,
} from '../../src/state/heap/heap-keyed-state-backend.ts'
import { type BenchCase, type BenchIo, compare, defineBench } from './bench-harness.ts'

interface Total {
  count: number
  sum: number
}

/** Keys are hashed and touched a batch at a time, as the task does. */
const BATCH = 512

const total = aggregatingState<number, Total, number>({
  accumulator: z.object({ count: z.number(), sum: z.number() }),
  create: () => ({ count: 0, sum: 0 }),
  add: (value, acc) => {
    acc.count++
    acc.sum += value
    return acc
  },
  result: acc => acc.sum,
})

function openBackend(): HeapKeyedStateBackend {
  return makeHeapBackend({
    operatorName: 'bench',
    maxParallelism: 128,
    range: { start: 0, end: 127 },
    clock: new SystemClock(),
  })
}

/** `keyAt(i)` is the key of record i. */
type KeyAt = (record: number) => number | string

/** Self-contained: each case gets a clone, as each operator of a job does. */
function mapLoop(map: Map<number | string, Total>, count: number, keyAt: KeyAt) {
  return (): number => {
    for (let i = 0; i < count; i++) {
      const key = keyAt(i)
      let acc = map.get(key)
      if (acc === undefined) {
        acc = { count: 0, sum: 0 }
        map.set(key, acc)
      }
      acc.count++
      acc.sum += i
    }
    return count
  }
}

function mapCase(name: string, count: number, keyAt: KeyAt): BenchCase {
  return { name, run: cloneFunction(mapLoop)(new Map(), count, keyAt) }
}

/** Self-contained. */
function stateLoop(state: { add(value: number): void }, work: StateWork, batch: number) {
  const { backend, count, keyAt, prefetches } = work
  const keys: (number | string)[] = new Array(batch)
  return (): number => {
    for (let from = 0; from < count; from += batch) {
      const size = Math.min(batch, count - from)
      for (let i = 0; i < size; i++) keys[i] = keyAt(from + i)
      if (prefetches && backend.beginKeysAhead()) {
        for (let i = 0; i < size; i++) backend.noteKeyAhead(keys[i] as number | string)
        backend.fetchKeysAhead()
      }
      for (let i = 0; i < size; i++) {
        backend.setCurrentKey(keys[i] as number | string)
        state.add(from + i)
      }
    }
    return count
  }
}

function stateCase(name: string, state: { add(value: number): void }, work: StateWork): BenchCase {
  return { name, run: cloneFunction(stateLoop)(state, work, BATCH) }
}

interface StateWork {
  readonly backend: HeapKeyedStateBackend
  readonly count: number
  readonly keyAt: KeyAt
  readonly prefetches: boolean
}

function sumCase(name: string, work: Omit<StateWork, 'backend'>): BenchCase {
  const backend = openBackend()
  const state = backend.state(
    'sum',
    reducingState<number>((a, b) => a + b, z.number()),
  )
  return stateCase(name, state, { backend, ...work })
}

function valueCase(name: string, work: Omit<StateWork, 'backend'>): BenchCase {
  const backend = openBackend()
  const state = backend.state('sum', valueState(z.number()))
  const add = (value: number): void => state.update(((state.value() as number) ?? 0) + value)
  return stateCase(name, { add }, { backend, ...work })
}

function totalCase(name: string, work: Omit<StateWork, 'backend'>): BenchCase {
  const backend = openBackend()
  const state = backend.state('total', total)
  return stateCase(name, state, { backend, ...work })
}

async function compareKeys(io: BenchIo, what: string, keyAt: KeyAt): Promise<void> {
  const count = io.count('records', 1_000_000)
  const work = { count, keyAt, prefetches: false }
  const ahead = { count, keyAt, prefetches: true }
  io.report(
    await compare({
      title: `read-modify-write, ${what}`,
      unit: 'records',
      baseline: mapCase('Map to an object', count, keyAt),
      cases: [
        sumCase('reducing state, a double', work),
        valueCase('value state, a double', work),
        totalCase('aggregating state, an object', work),
        sumCase('reducing, keys fetched ahead', ahead),
        totalCase('aggregating, keys fetched ahead', ahead),
      ],
    }),
  )
}

export const keyedState = defineBench({
  name: 'keyed-state',
  summary: 'read-modify-write of keyed heap state against a Map, int and string keys',
  async run(io) {
    const count = io.count('records', 1_000_000)
    for (const keyCount of [1_000, 1_000_000]) {
      const random = new SeededRandom(keyCount)
      const drawn = Int32Array.from({ length: count }, () => random.int(keyCount))
      const title = keyCount.toLocaleString('en-US')
      await compareKeys(io, `${title} int keys`, i => drawn[i] as number)
      const names = Array.from({ length: keyCount }, (_, i) => `user-${i}`)
      const text = names.join('')
      const starts = new Int32Array(keyCount + 1)
      for (let i = 0; i < keyCount; i++) {
        starts[i + 1] = (starts[i] as number) + (names[i] as string).length
      }
      await compareKeys(io, `${title} string keys`, i => {
        const name = drawn[i] as number
        return text.substring(starts[name] as number, starts[name + 1] as number)
      })
    }
  },
})
