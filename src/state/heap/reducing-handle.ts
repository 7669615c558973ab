/** Reducing state without TTL. Self-contained: see `state-handle.ts`. */
import type { ReducingStateDescriptor } from '../../api/state-descriptor.ts'
import type { InternalReducingState } from '../keyed-state-backend.ts'
import type { HandlePlace, StateHandleClass } from './state-handle.ts'

export function reducingHandleClass(
  Base: StateHandleClass,
): new (
  place: HandlePlace,
  descriptor: ReducingStateDescriptor<unknown>,
) => InternalReducingState<unknown> {
  return class HeapReducingState extends Base implements InternalReducingState<unknown> {
    readonly #descriptor: ReducingStateDescriptor<unknown>

    constructor(place: HandlePlace, descriptor: ReducingStateDescriptor<unknown>) {
      super(place)
      this.#descriptor = descriptor
    }

    get(): unknown {
      const slot = this.cursor.locate()
      return slot < 0 ? undefined : this.cells.get(this.cursor.table.main, slot)
    }

    add(value: unknown): void {
      const { cursor } = this
      const slot = cursor.locate()
      if (slot < 0) {
        const kept = this.cells.keep(value)
        const fresh = cursor.insert()
        this.cells.set(cursor.table.main, fresh, kept)
        return
      }
      const before = this.cells.get(cursor.table.main, slot)
      const after = this.#descriptor.reduce(before, value)
      if (!this.cells.holds(cursor.table.main, slot, after))
        this.cells.set(cursor.table.main, slot, this.cells.keep(after))
    }

    mergeNamespaces(target: number, sources: readonly number[]): void {
      const { cursor } = this
      const standing = cursor.namespace
      for (const source of sources) {
        if (source === target) continue
        cursor.setNamespace(source)
        const moved = this.get()
        if (moved === undefined) continue
        cursor.remove()
        cursor.setNamespace(target)
        this.add(moved)
      }
      cursor.setNamespace(standing)
    }
  }
}
