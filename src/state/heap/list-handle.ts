/** List state without TTL. Self-contained: see `state-handle.ts`. */
import type { InternalListState } from '../keyed-state-backend.ts'
import type { ListCell } from './cells.ts'
import type { HandlePlace, StateHandleClass } from './state-handle.ts'
import type { Keeper } from './value-keeper.ts'

type ListClass = new (place: HandlePlace, keep: Keeper) => InternalListState<unknown>

export function listHandleClass(Base: StateHandleClass): ListClass {
  return class HeapListState extends Base implements InternalListState<unknown> {
    readonly #keep: Keeper

    constructor(place: HandlePlace, keep: Keeper) {
      super(place)
      this.#keep = keep
    }

    get(): readonly unknown[] {
      const slot = this.cursor.locate()
      if (slot < 0) return []
      return (this.cells.get(this.cursor.table.main, slot) as ListCell).values.slice()
    }

    add(value: unknown): void {
      const kept = this.#keep(value)
      this.#open().push(kept)
    }

    addAll(values: Iterable<unknown>): void {
      const kept: unknown[] = []
      for (const value of values) kept.push(this.#keep(value))
      if (kept.length === 0) return
      const list = this.#open()
      for (let i = 0; i < kept.length; i++) list.push(kept[i])
    }

    update(values: readonly unknown[]): void {
      const kept = values.map(value => this.#keep(value))
      if (kept.length === 0) this.clear()
      else this.#openCell().values = kept
    }

    mergeNamespaces(target: number, sources: readonly number[]): void {
      const { cursor } = this
      const standing = cursor.namespace
      for (const source of sources) {
        if (source === target) continue
        cursor.setNamespace(source)
        const slot = cursor.locate()
        if (slot < 0) continue
        const moved = (this.cells.get(cursor.table.main, slot) as ListCell).values
        cursor.remove()
        cursor.setNamespace(target)
        const list = this.#open()
        for (let i = 0; i < moved.length; i++) list.push(moved[i])
      }
      cursor.setNamespace(standing)
    }

    #open(): unknown[] {
      return this.#openCell().values
    }

    #openCell(): ListCell {
      const { cursor } = this
      const slot = cursor.locate()
      if (slot >= 0) return this.cells.get(cursor.table.main, slot) as ListCell
      const cell: ListCell = { values: [], times: undefined }
      const fresh = cursor.insert()
      this.cells.set(cursor.table.main, fresh, cell)
      return cell
    }
  }
}
