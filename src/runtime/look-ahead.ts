/**
 * Tells keyed state which keys come next, before a batch's records do: their entries are fetched
 * from memory all at once, instead of one after the other. Only where the backend says that it
 * pays.
 */
import type { Key, KeySelector } from '../api/functions.ts'
import { cloneFunction } from '../common/clone-function.ts'
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts'

/** Looks at `items[from]`, `items[from + 2]`, and so on up to `end`: the values of a batch. */
export type LookAhead = (items: readonly unknown[], from: number, end: number) => void

/** `undefined` where an input is not keyed. */
export function makeLookAhead(
  backend: KeyedStateBackend | undefined,
  select: KeySelector<unknown, Key> | undefined,
): LookAhead | undefined {
  if (backend === undefined || select === undefined) return undefined
  return cloneFunction(lookAheadFactory)(backend, select)
}

/** Self-contained: see `cloneFunction`. */
function lookAheadFactory(
  backend: KeyedStateBackend,
  select: KeySelector<unknown, Key>,
): LookAhead {
  return (items, from, end) => {
    if (!backend.beginKeysAhead()) return
    try {
      for (let at = from; at < end; at += 2) backend.noteKeyAhead(select(items[at]))
    } catch {
      // Its own record will throw it again, where it is handled.
    }
    backend.fetchKeysAhead()
  }
}
