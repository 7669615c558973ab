/** Map state with TTL: one time a map entry. Rules: `../ttl.ts`. */
import type { InternalMapState } from '../keyed-state-backend.ts'
import type { Ttl } from '../ttl.ts'
import type { MapCell, MapItem } from './cells.ts'
import type { MapOptions } from './map-handle.ts'
import { type HandlePlace, stateHandleClass } from './state-handle.ts'
import type { TtlOptions } from './ttl-scalar-states.ts'
import type { TtlSweep } from './ttl-sweep.ts'

const StateHandle = stateHandleClass()

export class TtlMapState extends StateHandle implements InternalMapState<unknown, unknown> {
  readonly #ttl: Ttl
  readonly #sweep: TtlSweep
  readonly #options: MapOptions

  constructor(place: HandlePlace, options: TtlOptions & MapOptions) {
    super(place)
    this.#ttl = options.ttl
    this.#sweep = options.sweep
    this.#options = options
  }

  get(key: unknown): unknown {
    return this.#read(key)?.value
  }

  put(key: unknown, value: unknown): void {
    const folded = this.#options.fold(key)
    const kept = this.#options.keep(value)
    const cell = this.#cell() ?? this.#insert()
    const time = this.#ttl.now()
    const item = cell.get(folded)
    if (item === undefined) {
      const own = this.#options.own(folded)
      cell.set(own, { key: folded === key ? own : key, value: kept, time })
    } else {
      item.value = kept
      item.time = time
    }
    if (this.#sweep.afterWrite(this.cursor.table)) this.cursor.forget()
  }

  has(key: unknown): boolean {
    return this.#read(key) !== undefined
  }

  remove(key: unknown): void {
    const cell = this.#cell()
    if (cell?.delete(this.#options.fold(key)) && cell.size === 0) this.clear()
  }

  entries(): Iterable<readonly [unknown, unknown]> {
    return this.#readAll().map(item => [item.key, item.value] as const)
  }

  keys(): Iterable<unknown> {
    return this.#readAll().map(item => item.key)
  }

  values(): Iterable<unknown> {
    return this.#readAll().map(item => item.value)
  }

  /** Ignores the TTL, as Flink's does: false as long as anything is stored. */
  isEmpty(): boolean {
    return this.cursor.locate() < 0
  }

  #read(key: unknown): MapItem | undefined {
    const item = this.#cell()?.get(this.#options.fold(key))
    return item === undefined ? undefined : this.#see(item)
  }

  #readAll(): MapItem[] {
    return [...(this.#cell()?.values() ?? [])].filter(item => this.#see(item) !== undefined)
  }

  /** The item as this read may see it; renews or removes it as configured. */
  #see(item: MapItem): MapItem | undefined {
    const now = this.#ttl.now()
    if (this.#ttl.isExpired(item.time, now)) {
      this.remove(item.key)
      return this.#ttl.returnExpired ? item : undefined
    }
    if (this.#ttl.renewOnRead) item.time = now
    return item
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
