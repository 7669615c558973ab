/** Value state without TTL. Self-contained: see `state-handle.ts`. */
import type { InternalValueState } from '../keyed-state-backend.ts'
import type { HandlePlace, StateHandleClass } from './state-handle.ts'
import type { Keeper } from './value-keeper.ts'

export function valueHandleClass(
  Base: StateHandleClass,
): new (
  place: HandlePlace,
  keep: Keeper,
) => InternalValueState<unknown> {
  return class HeapValueState extends Base implements InternalValueState<unknown> {
    readonly #keep: Keeper

    constructor(place: HandlePlace, keep: Keeper) {
      super(place)
      this.#keep = keep
    }

    value(): unknown {
      const slot = this.cursor.locate()
      return slot < 0 ? undefined : this.cells.get(this.cursor.table.main, slot)
    }

    /** `undefined` clears: there is nothing to be read afterwards. */
    update(value: unknown): void {
      if (value === undefined) {
        this.clear()
        return
      }
      const { cursor } = this
      const slot = cursor.locate()
      if (slot < 0) {
        const kept = this.#keep(value)
        const fresh = cursor.insert()
        this.cells.put(cursor.table.main, fresh, kept)
      } else if (this.cells.isCopied || this.cells.get(cursor.table.main, slot) !== value) {
        this.cells.set(cursor.table.main, slot, this.#keep(value))
      }
    }
  }
}
