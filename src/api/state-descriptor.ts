/**
 * State descriptors: what a function declares it keeps. A function lists them under `state`, so
 * that a plan can name every state, and a restore can be checked, before the job starts; the
 * property's name is the state's name.
 */
import type { Schema } from '../schema/type.ts'
import type {
  AggregateFunction,
  AggregatingState,
  ListState,
  MapState,
  ReduceFunction,
  ReducingState,
  ValueState,
} from './state.ts'

/** Processing-time time to live: an entry written at s is gone when s + ttlMs <= now. */
export interface TtlConfig {
  readonly ttlMs: number
  /** Which accesses renew an entry. Default `on-create-and-write`. */
  readonly updateType?: 'on-create-and-write' | 'on-read-and-write'
  /** Whether a read may still return what is expired but not removed. Default never. */
  readonly visibility?: 'never-return-expired' | 'return-expired-if-not-cleaned-up'
}

/** What every kind of state may have. */
export interface StateOptions<T> {
  readonly ttl?: TtlConfig
  /** Raise it when the meaning changes; `migrate` then turns stored values into the new shape. */
  readonly version?: number
  migrate?(stored: unknown, storedVersion: number): T
}

/** Made by `valueState`. */
export interface ValueStateDescriptor<T> extends StateOptions<T> {
  readonly kind: 'value'
  readonly type: Schema<T> | undefined
}

/** Made by `listState`. */
export interface ListStateDescriptor<T> extends StateOptions<T> {
  readonly kind: 'list'
  readonly type: Schema<T> | undefined
}

/** Made by `mapState`. */
export interface MapStateDescriptor<K, V> extends StateOptions<V> {
  readonly kind: 'map'
  readonly keyType: Schema<K> | undefined
  readonly type: Schema<V> | undefined
}

/** Made by `reducingState`. */
export interface ReducingStateDescriptor<T> extends StateOptions<T> {
  readonly kind: 'reducing'
  readonly type: Schema<T> | undefined
  // A method, not a property: methods compare bivariantly, so that descriptors of any T are one
  // list.
  reduce(a: T, b: T): T
}

/** Made by `aggregatingState`. */
export interface AggregatingStateDescriptor<IN, ACC, OUT> extends StateOptions<ACC> {
  readonly kind: 'aggregating'
  readonly type: Schema<ACC> | undefined
  readonly aggregate: AggregateFunction<IN, ACC, OUT>
}

/** Any kind of keyed state. */
export type StateDescriptor =
  | ValueStateDescriptor<unknown>
  | ListStateDescriptor<unknown>
  | MapStateDescriptor<unknown, unknown>
  | ReducingStateDescriptor<unknown>
  | AggregatingStateDescriptor<unknown, unknown, unknown>

/** A function's declared states by name. */
export interface StateDescriptors {
  readonly [name: string]: StateDescriptor
}

/** Declares nothing. */
export type NoState = Record<never, never>

/** The handle of one descriptor. */
export type StateOf<D> =
  D extends MapStateDescriptor<infer K, infer V>
    ? MapState<K, V>
    : D extends AggregatingStateDescriptor<infer IN, unknown, infer OUT>
      ? AggregatingState<IN, OUT>
      : D extends ReducingStateDescriptor<infer T>
        ? ReducingState<T>
        : D extends ListStateDescriptor<infer T>
          ? ListState<T>
          : D extends ValueStateDescriptor<infer T>
            ? ValueState<T>
            : never

/** The handles of all declared states, under the same names. */
export type StatesOf<S extends StateDescriptors> = { readonly [K in keyof S]: StateOf<S[K]> }

/** One value a key. Without a schema the general codec is used, and the job says so at start. */
export function valueState<T>(
  type?: Schema<T>,
  options: StateOptions<T> = {},
): ValueStateDescriptor<T> {
  return { ...options, kind: 'value', type }
}

/** A list a key. */
export function listState<T>(
  type?: Schema<T>,
  options: StateOptions<T> = {},
): ListStateDescriptor<T> {
  return { ...options, kind: 'list', type }
}

/** A map a key. */
export function mapState<K, V>(
  keyType?: Schema<K>,
  type?: Schema<V>,
  options: StateOptions<V> = {},
): MapStateDescriptor<K, V> {
  return { ...options, kind: 'map', keyType, type }
}

/** A value a key, combined by `reduce`. */
export function reducingState<T>(
  reduce: ReduceFunction<T>,
  type?: Schema<T>,
  options: StateOptions<T> = {},
): ReducingStateDescriptor<T> {
  return { ...options, kind: 'reducing', type, reduce }
}

/** An accumulator a key, fed and read through `aggregate`. */
export function aggregatingState<IN, ACC, OUT>(
  aggregate: AggregateFunction<IN, ACC, OUT>,
  options: StateOptions<ACC> = {},
): AggregatingStateDescriptor<IN, ACC, OUT> {
  return { ...options, kind: 'aggregating', type: aggregate.accumulator, aggregate }
}
