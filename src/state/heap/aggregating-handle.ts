/** Aggregating state without TTL. Self-contained: see `state-handle.ts`. */
import type { AggregateFunction } from '../../api/state.ts'
import type { InternalAggregatingState } from '../keyed-state-backend.ts'
import type { HandlePlace, StateHandleClass } from './state-handle.ts'

export interface AggregatingOptions {
  readonly aggregate: AggregateFunction<unknown, unknown, unknown>
  /** Called where the aggregate has no `merge`; throws. */
  refuseMerge(): never
}

type Aggregating = InternalAggregatingState<unknown, unknown, unknown>

type AggregatingClass = new (place: HandlePlace, options: AggregatingOptions) => Aggregating

export function aggregatingHandleClass(Base: StateHandleClass): AggregatingClass {
  return class HeapAggregatingState extends Base implements Aggregating {
    readonly #aggregate: AggregateFunction<unknown, unknown, unknown>
    readonly #options: AggregatingOptions

    constructor(place: HandlePlace, options: AggregatingOptions) {
      super(place)
      this.#aggregate = options.aggregate
      this.#options = options
    }

    get(): unknown {
      const slot = this.cursor.locate()
      if (slot < 0) return undefined
      return this.#aggregate.result(this.cells.get(this.cursor.table.main, slot))
    }

    add(value: unknown): void {
      const { cursor } = this
      const aggregate = this.#aggregate
      const slot = cursor.locate()
      if (slot < 0) {
        this.setAccumulator(aggregate.add(value, aggregate.create()))
        return
      }
      const before = this.cells.lend(cursor.table.main, slot)
      const after = aggregate.add(value, before)
      if (this.cells.holds(cursor.table.main, slot, after)) return
      this.cells.set(cursor.table.main, slot, this.cells.keep(after))
    }

    accumulator(): unknown {
      const slot = this.cursor.locate()
      return slot < 0 ? undefined : this.cells.get(this.cursor.table.main, slot)
    }

    setAccumulator(accumulator: unknown): void {
      const kept = this.cells.keep(accumulator)
      const { cursor } = this
      const found = cursor.locate()
      const slot = found < 0 ? cursor.insert() : found
      this.cells.set(cursor.table.main, slot, kept)
    }

    mergeNamespaces(target: number, sources: readonly number[]): void {
      const { cursor } = this
      const standing = cursor.namespace
      for (const source of sources) {
        if (source === target) continue
        cursor.setNamespace(source)
        const moved = this.accumulator()
        if (moved === undefined) continue
        cursor.remove()
        cursor.setNamespace(target)
        const before = this.accumulator()
        this.setAccumulator(before === undefined ? moved : this.#merge(before, moved))
      }
      cursor.setNamespace(standing)
    }

    #merge(a: unknown, b: unknown): unknown {
      const aggregate = this.#aggregate
      return aggregate.merge === undefined ? this.#options.refuseMerge() : aggregate.merge(a, b)
    }
  }
}
