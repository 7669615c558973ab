/** List state with TTL: one time an element. Rules: `../ttl.ts`. */
import type { InternalListState } from '../keyed-state-backend.ts'
import type { Ttl } from '../ttl.ts'
import type { ListCell } from './cells.ts'
import { type HandlePlace, stateHandleClass } from './state-handle.ts'
import type { TtlOptions } from './ttl-scalar-states.ts'
import type { TtlSweep } from './ttl-sweep.ts'
import type { Keeper } from './value-keeper.ts'

interface TimedList extends ListCell {
  times: number[]
}

const StateHandle = stateHandleClass()

export class TtlListState extends StateHandle implements InternalListState<unknown> {
  readonly #ttl: Ttl
  readonly #sweep: TtlSweep
  readonly #keep: Keeper

  constructor(place: HandlePlace, options: TtlOptions & { readonly keep: Keeper }) {
    super(place)
    this.#ttl = options.ttl
    this.#sweep = options.sweep
    this.#keep = options.keep
  }

  get(): readonly unknown[] {
    const cell = this.#cell()
    if (cell === undefined) return []
    const all = cell.values
    const live = this.#live(cell)
    if (live.values.length === 0) {
      this.clear()
    } else if (this.#ttl.renewOnRead) {
      cell.values = live.values
      cell.times = live.times.fill(this.#ttl.now())
    }
    return this.#ttl.returnExpired ? all.slice() : live.values.slice()
  }

  add(value: unknown): void {
    this.addAll([value])
  }

  addAll(values: Iterable<unknown>): void {
    const kept = Array.from(values, value => this.#keep(value))
    if (kept.length === 0) return
    const cell = this.#open()
    const now = this.#ttl.now()
    for (const value of kept) {
      cell.values.push(value)
      cell.times.push(now)
    }
    if (this.#sweep.afterWrite(this.cursor.table)) this.cursor.forget()
  }

  update(values: readonly unknown[]): void {
    const kept = values.map(value => this.#keep(value))
    this.clear()
    if (kept.length === 0) return
    const cell = this.#open()
    cell.values = kept
    cell.times = kept.map(() => this.#ttl.now())
    if (this.#sweep.afterWrite(this.cursor.table)) this.cursor.forget()
  }

  mergeNamespaces(target: number, sources: readonly number[]): void {
    const { cursor } = this
    const standing = cursor.namespace
    for (const source of sources) {
      if (source === target) continue
      cursor.setNamespace(source)
      const moved = this.#cell()
      if (moved === undefined) continue
      cursor.remove()
      cursor.setNamespace(target)
      const cell = this.#open()
      cell.values = cell.values.concat(moved.values)
      cell.times = cell.times.concat(moved.times)
    }
    cursor.setNamespace(standing)
  }

  #live(cell: TimedList): { values: unknown[]; times: number[] } {
    const now = this.#ttl.now()
    const isLive = (_: unknown, i: number): boolean =>
      !this.#ttl.isExpired(cell.times[i] as number, now)
    return { values: cell.values.filter(isLive), times: cell.times.filter(isLive) }
  }

  #cell(): TimedList | undefined {
    const slot = this.cursor.locate()
    return slot < 0 ? undefined : (this.cells.get(this.cursor.table.main, slot) as TimedList)
  }

  #open(): TimedList {
    const found = this.#cell()
    if (found !== undefined) return found
    const cell: TimedList = { values: [], times: [] }
    const fresh = this.cursor.insert()
    this.cells.set(this.cursor.table.main, fresh, cell)
    return cell
  }
}
