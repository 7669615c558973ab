/** What the suites of keyed state share: backends of one operator, snapshots, keys and states. */
import type { Key } from '../../src/api/functions.ts'
import { aggregatingState, reducingState } from '../../src/api/state-descriptor.ts'
import { z } from '../../src/schema/z.ts'
import { foldKey, hashKey } from '../../src/state/key.ts'
import { keyGroupOf, keyGroupRange } from '../../src/state/key-groups.ts'
import type {
  KeyedSnapshot,
  KeyedStateBackend,
  RestoredKeyedState,
} from '../../src/state/keyed-state-backend.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

export interface BackendPlace {
  readonly maxParallelism: number
  readonly range: { readonly start: number; readonly end: number }
  readonly clock: ManualClock
}

export type OpenBackend = (place: BackendPlace) => KeyedStateBackend

export const MAX_PARALLELISM = 16

/** Backends of all subtasks of one operator. */
export function openSubtasks(
  open: OpenBackend,
  parallelism: number,
  clock = new ManualClock(),
): KeyedStateBackend[] {
  return Array.from({ length: parallelism }, (_, i) =>
    open({
      maxParallelism: MAX_PARALLELISM,
      range: keyGroupRange(i, MAX_PARALLELISM, parallelism),
      clock,
    }),
  )
}

/** The subtask that owns a key. */
export function ownerOf<B extends KeyedStateBackend>(subtasks: readonly B[], key: Key): B {
  const group = keyGroupOf(hashKey(foldKey(key)), MAX_PARALLELISM)
  const owner = subtasks.find(({ range }) => range.start <= group && group <= range.end)
  return owner as B
}

/** What a restore is given: each group's bytes. */
export function restorable(snapshot: KeyedSnapshot): RestoredKeyedState {
  const bytes = Buffer.concat(snapshot.chunks)
  const groups = snapshot.groups.map(({ keyGroup, offset, length }) => ({
    keyGroup,
    bytes: bytes.subarray(offset, offset + length),
  }))
  return { states: structuredClone(snapshot.states), groups }
}

export function snapshotOf(backend: KeyedStateBackend): RestoredKeyedState {
  const run = backend.beginSnapshot(1)
  while (!run.step(1));
  return restorable(run.result())
}

export const everything = { start: 0, end: MAX_PARALLELISM - 1 }
export const total = z.object({ count: z.int32(), sum: z.number() })
export const average = aggregatingState<number, { count: number; sum: number }, number>({
  accumulator: total,
  create: () => ({ count: 0, sum: 0 }),
  add: (value, acc) => ({ count: acc.count + 1, sum: acc.sum + value }),
  result: acc => acc.sum / acc.count,
  merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
})
export const sum = reducingState<number>((a, b) => a + b, z.number())

/** Keys of every kind that a selector may return. */
export const keys: readonly Key[] = [
  0,
  1,
  -1,
  2_147_483_647,
  -2_147_483_648,
  2_147_483_648,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  'a',
  'A key of more than thirteen letters',
  '\u0000t',
  '\ud800',
  'ключ',
  true,
  false,
  0n,
  -(2n ** 70n),
  ['a', 1],
  ['a', '1'],
  [true, 2n, 'x:y', 0.25],
  [1, 2],
  [-2_147_483_648, 2_147_483_647],
  [2, 2_147_483_648],
  [1, 2, 3],
  [1],
]

/** How the rows of the contract get their backends. */
export interface ContractRows {
  /** A backend of all key groups. */
  one(): KeyedStateBackend
  /** Another one that restored a snapshot of `from`. */
  reopened(from: KeyedStateBackend): KeyedStateBackend
}

export function contractRows(open: OpenBackend, other: OpenBackend): ContractRows {
  const place = () => ({
    maxParallelism: MAX_PARALLELISM,
    range: everything,
    clock: new ManualClock(),
  })
  return {
    one: () => open(place()),
    reopened(from) {
      const backend = other(place())
      backend.restore([snapshotOf(from)])
      return backend
    },
  }
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

export function odd(below: number): number[] {
  return range(below).filter(i => i % 2 === 1)
}
