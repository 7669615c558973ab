/**
 * Keyed and operator state as user functions see it. Every handle works on the key of the record
 * (or timer) being processed; none may be used outside a callback.
 */
import type { Schema } from '../schema/type.ts'

/** One value a key. */
export interface ValueState<T> {
  /** The value, or `undefined` when none was set, it was cleared, or its TTL is over. */
  value(): T | undefined
  /** Also needed where an object that `value` gave was changed: it may be a copy. */
  update(value: T): void
  clear(): void
}

/** A list a key. */
export interface ListState<T> {
  /** In the order of `add`; empty when nothing is stored. A snapshot: safe to keep and iterate. */
  get(): readonly T[]
  add(value: T): void
  addAll(values: Iterable<T>): void
  /** Replaces the whole list. */
  update(values: readonly T[]): void
  clear(): void
}

/** A map a key. The TTL, if any, counts per entry. */
export interface MapState<K, V> {
  get(key: K): V | undefined
  put(key: K, value: V): void
  has(key: K): boolean
  remove(key: K): void
  entries(): Iterable<readonly [K, V]>
  keys(): Iterable<K>
  values(): Iterable<V>
  isEmpty(): boolean
  clear(): void
}

/** A value combined with each `add` by the descriptor's reduce function. */
export interface ReducingState<T> {
  get(): T | undefined
  add(value: T): void
  clear(): void
}

/** An accumulator fed by `add`; `get` gives the aggregate's result. */
export interface AggregatingState<IN, OUT> {
  get(): OUT | undefined
  add(value: IN): void
  clear(): void
}

/** Read-only view of a broadcast map, for the side that must not write it. */
export type ReadOnlyMapState<K, V> = Pick<
  MapState<K, V>,
  'get' | 'has' | 'entries' | 'keys' | 'values' | 'isEmpty'
>

/**
 * Combines inputs into an accumulator. `add` may change and return the accumulator it was given, or
 * return a new one. With `merge`, windows share panes and sessions merge.
 */
export interface AggregateFunction<IN, ACC, OUT> {
  /** The accumulator's schema: stored in state. */
  readonly accumulator?: Schema<ACC>
  /** The result's schema: shuffled and written. */
  readonly output?: Schema<OUT>
  create(): ACC
  add(value: IN, accumulator: ACC): ACC
  result(accumulator: ACC): OUT
  /** May change and return `a`; must leave `b` as it is. */
  merge?(a: ACC, b: ACC): ACC
}

/** Combines two values into one; associative. Must leave both as they are: records are shared. */
export type ReduceFunction<T> = (a: T, b: T) => T
