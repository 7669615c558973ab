/**
 * Who gets which operator state when a job is restored at another parallelism. Pure.
 *
 * Split: at equal parallelism every subtask gets its own items back; else all items, in the order
 * of the old subtasks, are cut into contiguous parts. Of n items each of p subtasks gets floor(n /
 * p), and n mod p subtasks get one more; these begin behind those that got one more for the state
 * before, so that remainders of many states spread.
 * Union: every subtask gets all items, also at equal parallelism.
 * Broadcast: all copies are equal; new subtask i takes the one of old subtask i mod old
 * parallelism.
 */
import { assert } from '../common/assert.ts'
import type { OperatorStateSnapshot } from './operator-state-backend.ts'

/** `old[i]` is what subtask i stored; the result's item i is what new subtask i restores. */
export function redistributeOperatorState(
  old: readonly (readonly OperatorStateSnapshot[])[],
  parallelism: number,
): OperatorStateSnapshot[][] {
  assert(parallelism >= 1, 'there is a subtask to give state to')
  const given: OperatorStateSnapshot[][] = Array.from({ length: parallelism }, () => [])
  let firstLarger = 0
  for (const name of namesOf(old)) {
    const parts = old.map(states => states.find(state => state.name === name))
    const kind = parts.find(part => part !== undefined) as OperatorStateSnapshot
    const items = parts.map(part => part?.items ?? [])
    let shares: readonly (readonly Buffer[])[]
    switch (kind.redistribution) {
      case 'split':
        shares = redistributeSplit(items, parallelism, firstLarger)
        if (old.length !== parallelism) {
          firstLarger = (firstLarger + (items.flat().length % parallelism)) % parallelism
        }
        break
      case 'union':
        shares = redistributeUnion(items, parallelism)
        break
      case 'broadcast':
        shares = redistributeBroadcast(items, parallelism)
        break
    }
    shares.forEach((share, i) => {
      given[i]?.push({ ...kind, items: share })
    })
  }
  return given
}

/** `lists[i]` was subtask i's. `firstLarger` is the first that gets one of the remainder. */
export function redistributeSplit<T>(
  lists: readonly (readonly T[])[],
  parallelism: number,
  firstLarger = 0,
): readonly (readonly T[])[] {
  if (lists.length === parallelism) return lists
  const items = lists.flat()
  const base = Math.floor(items.length / parallelism)
  const remainder = items.length % parallelism
  const shares: T[][] = Array.from({ length: parallelism }, () => [])
  let next = 0
  for (let turn = 0; turn < parallelism; turn++) {
    const size = base + (turn < remainder ? 1 : 0)
    shares[(firstLarger + turn) % parallelism] = items.slice(next, next + size)
    next += size
  }
  return shares
}

export function redistributeUnion<T>(
  lists: readonly (readonly T[])[],
  parallelism: number,
): readonly (readonly T[])[] {
  const all = lists.flat()
  return Array.from({ length: parallelism }, () => all)
}

export function redistributeBroadcast<T>(
  copies: readonly (readonly T[])[],
  parallelism: number,
): readonly (readonly T[])[] {
  return Array.from({ length: parallelism }, (_, i) => copies[i % copies.length] ?? [])
}

/** In the order in which the subtasks name them. */
function namesOf(old: readonly (readonly OperatorStateSnapshot[])[]): Set<string> {
  return new Set(old.flatMap(states => states.map(state => state.name)))
}
