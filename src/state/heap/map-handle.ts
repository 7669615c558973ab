/** Map state without TTL. Self-contained: see `state-handle.ts`. */
import type { InternalMapState } from '../keyed-state-backend.ts'
import type { MapCell, MapItem, MapKey } from './cells.ts'
import type { HandlePlace, StateHandleClass } from './state-handle.ts'
import type { Keeper } from './value-keeper.ts'

export interface MapOptions {
  readonly keep: Keeper
  /** What a key is found by. */
  fold(key: unknown): MapKey
  /** The folded key as a cell may keep it. */
  own(key: MapKey): MapKey
  /** In the place of a time: there is no TTL. */
  readonly noTime: number
}

type MapState = InternalMapState<unknown, unknown>
type MapClass = new (place: HandlePlace, options: MapOptions) => MapState

export function mapHandleClass(Base: StateHandleClass): MapClass {
  return class HeapMapState extends Base implements MapState {
    readonly #options: MapOptions

    constructor(place: HandlePlace, options: MapOptions) {
      super(place)
      this.#options = options
    }

    get(key: unknown): unknown {
      return this.#cell()?.get(this.#options.fold(key))?.value
    }

    put(key: unknown, value: unknown): void {
      const options = this.#options
      const folded = options.fold(key)
      const kept = options.keep(value)
      const cell = this.#cell() ?? this.#insert()
      const item = cell.get(folded)
      if (item === undefined) {
        const own = options.own(folded)
        // A key that stands for itself is kept once.
        cell.set(own, { key: folded === key ? own : key, value: kept, time: options.noTime })
      } else item.value = kept
    }

    has(key: unknown): boolean {
      return this.#cell()?.has(this.#options.fold(key)) === true
    }

    remove(key: unknown): void {
      const cell = this.#cell()
      if (cell?.delete(this.#options.fold(key)) && cell.size === 0) this.clear()
    }

    // Arrays, all three: the map may be changed while its entries are walked over.
    entries(): Iterable<readonly [unknown, unknown]> {
      return Array.from(this.#items(), item => [item.key, item.value] as const)
    }

    keys(): Iterable<unknown> {
      return Array.from(this.#items(), item => item.key)
    }

    values(): Iterable<unknown> {
      return Array.from(this.#items(), item => item.value)
    }

    isEmpty(): boolean {
      return this.cursor.locate() < 0
    }

    #items(): Iterable<MapItem> {
      return this.#cell()?.values() ?? []
    }

    #cell(): MapCell | undefined {
      const slot = this.cursor.locate()
      return slot < 0 ? undefined : (this.cells.get(this.cursor.table.main, slot) as MapCell)
    }

    #insert(): MapCell {
      const cell: MapCell = new Map()
      const fresh = this.cursor.insert()
      this.cells.set(this.cursor.table.main, fresh, cell)
      return cell
    }
  }
}
