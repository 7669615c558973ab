/** Value state without TTL. Self-contained: see `state-handle.ts`. */
import type { InternalValueState } from '../keyed-state-backend.ts'
import type { HandlePlace, StateHandleClass } from './state-handle.ts'

export function valueHandleClass(
  Base: StateHandleClass,
): new (
  place: HandlePlace,
) => InternalValueState<unknown> {
  return class HeapValueState extends Base implements InternalValueState<unknown> {
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
        const kept = this.cells.keep(value)
        const fresh = cursor.insert()
        this.cells.set(cursor.table.main, fresh, kept)
      } else if (!this.cells.holds(cursor.table.main, slot, value)) {
        this.cells.set(cursor.table.main, slot, this.cells.keep(value))
      }
    }
  }
}
