/**
 * What the handles of all kinds share: standing on a namespace and clearing. A self-contained
 * factory, like the handles themselves: each state gets classes of its own (`cloneFunction`), so
 * that a user's function is inlined into its state's `add`, whatever other jobs the process runs.
 *
 * What a handle gives out belongs to the state until it is written again: a function may change an
 * object it read and `update` with it, but must not keep it beyond the record. The accumulator that
 * an aggregate's `add` is given is lent for that one call.
 */
import type { PrimitiveKey } from '../key.ts'
import type { Namespaced } from '../keyed-state-backend.ts'
import type { EntryCursor } from './entry-cursor.ts'
import type { ValueCells } from './value-cells.ts'

/** Where a handle finds its entries and values. */
export interface HandlePlace {
  readonly cursor: EntryCursor
  readonly cells: ValueCells
}

export interface StateHandle extends Namespaced, HandlePlace {
  clear(): void
}

export type StateHandleClass = new (place: HandlePlace) => StateHandle

export function stateHandleClass(): StateHandleClass {
  return class HeapState implements StateHandle {
    readonly cursor: EntryCursor
    readonly cells: ValueCells

    constructor(place: HandlePlace) {
      this.cursor = place.cursor
      this.cells = place.cells
    }

    clear(): void {
      this.cursor.remove()
    }

    setNamespace(namespace: number): void {
      this.cursor.setNamespace(namespace)
    }

    forEachKey(namespace: number, visit: (key: PrimitiveKey) => void): void {
      this.cursor.forEachKey(namespace, visit)
    }

    clearNamespace(namespace: number): void {
      this.cursor.clearNamespace(namespace)
    }

    namespaces(): Iterable<number> {
      return this.cursor.namespaces()
    }
  }
}
