/** Value, reducing and aggregating state with TTL: one time an entry, beside the value. */
import type { AggregateFunction } from '../../api/state.ts'
import type { ReducingStateDescriptor } from '../../api/state-descriptor.ts'
import type {
  InternalAggregatingState,
  InternalReducingState,
  InternalValueState,
} from '../keyed-state-backend.ts'
import type { Ttl } from '../ttl.ts'
import type { AggregatingOptions } from './aggregating-handle.ts'
import { type HandlePlace, stateHandleClass } from './state-handle.ts'
import type { TtlSweep } from './ttl-sweep.ts'

export interface TtlOptions {
  readonly ttl: Ttl
  readonly sweep: TtlSweep
}

const StateHandle = stateHandleClass()

/** A value of one key that expires. */
abstract class TtlScalar extends StateHandle {
  readonly #ttl: Ttl
  readonly #sweep: TtlSweep

  constructor(place: HandlePlace, options: TtlOptions) {
    super(place)
    this.#ttl = options.ttl
    this.#sweep = options.sweep
  }

  /** The stored value as this read may see it; renews or removes it as configured. */
  protected read(): unknown {
    const slot = this.cursor.locate()
    if (slot < 0) return undefined
    const { main } = this.cursor.table
    const value = this.cells.get(main, slot)
    const times = main.times as Float64Array
    const now = this.#ttl.now()
    if (this.#ttl.isExpired(times[slot] as number, now)) {
      this.cursor.remove()
      return this.#ttl.returnExpired ? value : undefined
    }
    if (this.#ttl.renewOnRead) times[slot] = now
    return value
  }

  protected write(value: unknown): void {
    const kept = this.cells.keep(value)
    const { cursor } = this
    const found = cursor.locate()
    const slot = found < 0 ? cursor.insert() : found
    const { main } = cursor.table
    this.cells.set(main, slot, kept)
    ;(main.times as Float64Array)[slot] = this.#ttl.now()
    if (this.#sweep.afterWrite(cursor.table)) cursor.forget()
  }

  /** Moves and combines the contents of `sources`; what is expired stays behind. */
  protected merge(
    target: number,
    sources: readonly number[],
    combine: (a: unknown, b: unknown) => unknown,
  ): void {
    const { cursor } = this
    const standing = cursor.namespace
    for (const source of sources) {
      if (source === target) continue
      cursor.setNamespace(source)
      const moved = this.read()
      cursor.remove()
      if (moved === undefined) continue
      cursor.setNamespace(target)
      const before = this.read()
      this.write(before === undefined ? moved : combine(before, moved))
    }
    cursor.setNamespace(standing)
  }
}

export class TtlValueState extends TtlScalar implements InternalValueState<unknown> {
  value(): unknown {
    return this.read()
  }

  update(value: unknown): void {
    if (value === undefined) this.clear()
    else this.write(value)
  }
}

interface TtlReducingOptions {
  readonly descriptor: ReducingStateDescriptor<unknown>
}

export class TtlReducingState extends TtlScalar implements InternalReducingState<unknown> {
  readonly #descriptor: ReducingStateDescriptor<unknown>

  constructor(place: HandlePlace, options: TtlOptions & TtlReducingOptions) {
    super(place, options)
    this.#descriptor = options.descriptor
  }

  get(): unknown {
    return this.read()
  }

  add(value: unknown): void {
    const before = this.read()
    this.write(before === undefined ? value : this.#descriptor.reduce(before, value))
  }

  mergeNamespaces(target: number, sources: readonly number[]): void {
    this.merge(target, sources, (a, b) => this.#descriptor.reduce(a, b))
  }
}

export class TtlAggregatingState
  extends TtlScalar
  implements InternalAggregatingState<unknown, unknown, unknown>
{
  readonly #aggregate: AggregateFunction<unknown, unknown, unknown>
  readonly #options: AggregatingOptions

  constructor(place: HandlePlace, options: TtlOptions & AggregatingOptions) {
    super(place, options)
    this.#aggregate = options.aggregate
    this.#options = options
  }

  get(): unknown {
    const accumulator = this.read()
    return accumulator === undefined ? undefined : this.#aggregate.result(accumulator)
  }

  add(value: unknown): void {
    const before = this.read() ?? this.#aggregate.create()
    this.write(this.#aggregate.add(value, before))
  }

  accumulator(): unknown {
    return this.read()
  }

  setAccumulator(accumulator: unknown): void {
    this.write(accumulator)
  }

  mergeNamespaces(target: number, sources: readonly number[]): void {
    const aggregate = this.#aggregate
    this.merge(target, sources, (a, b) => aggregate.merge?.(a, b) ?? this.#options.refuseMerge())
  }
}
