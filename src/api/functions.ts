/**
 * The contracts of user functions. Simple ones are plain functions; those with state, timers or a
 * lifecycle are objects (or class instances) with the methods below.
 */
import type { Schema } from '../schema/type.ts'
import type { ListState, MapState, ReadOnlyMapState } from './state.ts'
import type {
  ListStateDescriptor,
  MapStateDescriptor,
  NoState,
  StateDescriptors,
  StatesOf,
} from './state-descriptor.ts'

/** Takes results. A result carries the timestamp of the record or timer being processed. */
export interface Collector<T> {
  collect(value: T): void
}

/** Names a second output of an operator. Two tags with one id are the same output. */
export interface OutputTag<T> {
  readonly id: string
  readonly type: Schema<T> | undefined
}

/** `outputTag('late', Flight)`: without a schema its records travel by the general codec. */
export function outputTag<T>(id: string, type?: Schema<T>): OutputTag<T> {
  return { id, type }
}

/** What a function may know of the subtask it runs in. */
export interface RuntimeContext {
  readonly operatorName: string
  readonly subtaskIndex: number
  readonly parallelism: number
  /** 0 for the first run, then higher for each restart. */
  readonly attempt: number
  /** Adds to a user metric, shown under the operator. */
  count(metric: string, by?: number): void
}

/** What a function may do before its first record and after its last one. */
export interface Lifecycle {
  /** Called once, after state was restored and before the first record. */
  open?(context: RuntimeContext): void | Promise<void>
  /** Called once at the end or after a failure. */
  close?(): void | Promise<void>
}

/** One record in, one out. */
export type MapFunction<IN, OUT> = (value: IN) => OUT
/** True for the records that stay. */
export type FilterFunction<T> = (value: T) => boolean
/** Calls `out.collect` any number of times, or returns what to emit. */
export type FlatMapFunction<IN, OUT> = (value: IN, out: Collector<OUT>) => Iterable<OUT> | void

/** A key: a primitive, or a tuple of primitives. */
export type Key =
  | string
  | number
  | bigint
  | boolean
  | readonly (string | number | bigint | boolean)[]
/** Gives a record's key; the same one every time it is asked. */
export type KeySelector<T, K extends Key> = (value: T) => K

/** Time, and timers of the current key. They are state: restored with it, and as exact. */
export interface TimerService {
  currentProcessingTime(): number
  /** The operator's watermark; `MIN_TIMESTAMP` before the first. */
  currentWatermark(): number
  /** A timer is unique by key and time: registered twice it fires once. */
  registerEventTimeTimer(timestamp: number): void
  registerProcessingTimeTimer(timestamp: number): void
  deleteEventTimeTimer(timestamp: number): void
  deleteProcessingTimeTimer(timestamp: number): void
}

/** Operator state by name: a list a subtask, redistributed on rescale. */
export interface OperatorListStateDescriptor<T> extends ListStateDescriptor<T> {
  /** `split`: the items are divided; `union`: every subtask gets all items. */
  readonly redistribution: 'split' | 'union'
}

/** The operator states that a function declares, by name. */
export interface OperatorStateDescriptors {
  readonly [name: string]: OperatorListStateDescriptor<unknown>
}

/** The handles of declared operator states, under the same names. */
export type OperatorStatesOf<O extends OperatorStateDescriptors> = {
  readonly [N in keyof O]: O[N] extends OperatorListStateDescriptor<infer T> ? ListState<T> : never
}

/** A list a subtask: `union` gives every subtask all items after a restore. */
export function operatorListState<T>(
  type?: Schema<T>,
  redistribution: 'split' | 'union' = 'split',
): OperatorListStateDescriptor<T> {
  return { kind: 'list', type, redistribution }
}

/** What a function may know of the record that it is given. */
export interface ElementContext {
  /** The record's timestamp, `undefined` when it has none. */
  readonly timestamp: number | undefined
  readonly runtime: RuntimeContext
  /** Emits to a side output. */
  output<T>(tag: OutputTag<T>, value: T): void
}

/** The context of functions without keys. */
export interface ProcessContext<O extends OperatorStateDescriptors> extends ElementContext {
  readonly operatorState: OperatorStatesOf<O>
}

/** A function over single records, with side outputs and operator state. */
export interface ProcessFunction<IN, OUT, O extends OperatorStateDescriptors = NoState>
  extends Lifecycle {
  readonly output?: Schema<OUT>
  readonly operatorState?: O
  processElement(value: IN, context: ProcessContext<O>, out: Collector<OUT>): void
}

/** The context of keyed functions: key, state and timers are those of the record. */
export interface KeyedContext<K extends Key, S extends StateDescriptors> extends ElementContext {
  readonly key: K
  readonly state: StatesOf<S>
  readonly timers: TimerService
}

/** The context of a timer: key and state are those of the timer. */
export interface OnTimerContext<K extends Key, S extends StateDescriptors>
  extends KeyedContext<K, S> {
  readonly timeDomain: 'event' | 'processing'
}

/** A function over keyed records, with keyed state and timers. */
export interface KeyedProcessFunction<K extends Key, IN, OUT, S extends StateDescriptors = NoState>
  extends Lifecycle {
  readonly output?: Schema<OUT>
  readonly state?: S
  processElement(value: IN, context: KeyedContext<K, S>, out: Collector<OUT>): void
  /**
   * A timer fired: it is already removed, its key is set, the watermark is at or past
   * `timestamp`.
   */
  onTimer?(timestamp: number, context: OnTimerContext<K, S>, out: Collector<OUT>): void
}

/** Two connected streams without keys. */
export interface CoProcessFunction<A, B, OUT, O extends OperatorStateDescriptors = NoState>
  extends Lifecycle {
  readonly output?: Schema<OUT>
  readonly operatorState?: O
  processElement1(value: A, context: ProcessContext<O>, out: Collector<OUT>): void
  processElement2(value: B, context: ProcessContext<O>, out: Collector<OUT>): void
}

/** Two connected streams keyed alike: both sides see the same keyed state and timers. */
export interface KeyedCoProcessFunction<
  K extends Key,
  A,
  B,
  OUT,
  S extends StateDescriptors = NoState,
> extends Lifecycle {
  readonly output?: Schema<OUT>
  readonly state?: S
  processElement1(value: A, context: KeyedContext<K, S>, out: Collector<OUT>): void
  processElement2(value: B, context: KeyedContext<K, S>, out: Collector<OUT>): void
  onTimer?(timestamp: number, context: OnTimerContext<K, S>, out: Collector<OUT>): void
}

/** The broadcast states that a function declares, by name. */
export interface BroadcastStateDescriptors {
  readonly [name: string]: MapStateDescriptor<unknown, unknown>
}

/** The handles of broadcast states for the broadcast side, which writes them. */
export type BroadcastStatesOf<B extends BroadcastStateDescriptors> = {
  readonly [N in keyof B]: B[N] extends MapStateDescriptor<infer K, infer V>
    ? MapState<K, V>
    : never
}

/** The handles of broadcast states for the other side, which only reads them. */
export type ReadOnlyBroadcastStatesOf<B extends BroadcastStateDescriptors> = {
  readonly [N in keyof B]: B[N] extends MapStateDescriptor<infer K, infer V>
    ? ReadOnlyMapState<K, V>
    : never
}

/** The context of the broadcast side. */
export interface BroadcastElementContext<B extends BroadcastStateDescriptors>
  extends ElementContext {
  readonly broadcast: BroadcastStatesOf<B>
}

/**
 * A stream and a broadcast one. Updates of broadcast state must not depend on the order of arrival:
 * every subtask applies them by itself.
 */
export interface BroadcastProcessFunction<
  IN,
  BC,
  OUT,
  B extends BroadcastStateDescriptors = NoState,
> extends Lifecycle {
  readonly output?: Schema<OUT>
  readonly broadcast: B
  processElement(
    value: IN,
    context: ElementContext & { readonly broadcast: ReadOnlyBroadcastStatesOf<B> },
    out: Collector<OUT>,
  ): void
  processBroadcastElement(value: BC, context: BroadcastElementContext<B>, out: Collector<OUT>): void
}

/** The same with a keyed first stream; the broadcast side may visit the state of all keys. */
export interface KeyedBroadcastProcessFunction<
  K extends Key,
  IN,
  BC,
  OUT,
  B extends BroadcastStateDescriptors = NoState,
  S extends StateDescriptors = NoState,
> extends Lifecycle {
  readonly output?: Schema<OUT>
  readonly broadcast: B
  readonly state?: S
  processElement(
    value: IN,
    context: KeyedContext<K, S> & { readonly broadcast: ReadOnlyBroadcastStatesOf<B> },
    out: Collector<OUT>,
  ): void
  processBroadcastElement(
    value: BC,
    context: BroadcastElementContext<B> & {
      /** Calls back for every key that has the named state, with that key set. */
      applyToKeyedState<N extends keyof S>(
        name: N,
        visit: (key: K, state: StatesOf<S>[N]) => void,
      ): void
    },
    out: Collector<OUT>,
  ): void
  onTimer?(
    timestamp: number,
    context: OnTimerContext<K, S> & { readonly broadcast: ReadOnlyBroadcastStatesOf<B> },
    out: Collector<OUT>,
  ): void
}

/** Joins one pair. */
export type JoinFunction<A, B, OUT> = (left: A, right: B) => OUT
/** All records of one key and window of both sides, also when one side is empty. */
export type CoGroupFunction<A, B, OUT> = (
  left: readonly A[],
  right: readonly B[],
  out: Collector<OUT>,
) => void

/** The context of a pair; its timestamp is the greater of the two. */
export interface IntervalJoinContext extends ElementContext {
  readonly leftTimestamp: number
  readonly rightTimestamp: number
}

/** Sees each pair once, as soon as its second record came. */
export interface IntervalJoinFunction<A, B, OUT> extends Lifecycle {
  readonly output?: Schema<OUT>
  processPair(left: A, right: B, context: IntervalJoinContext, out: Collector<OUT>): void
}

/** Asks a service per record; the results of the promise are emitted. */
export interface AsyncFunction<IN, OUT> extends Lifecycle {
  readonly output?: Schema<OUT>
  /** A rejected promise is retried as configured, then fails the job. */
  invoke(value: IN, signal: AbortSignal): Promise<readonly OUT[]>
  /** Called when the time is over (all retries included). Default: the job fails. */
  timeout?(value: IN): readonly OUT[]
}

/** What happens with a record that makes a source's format or a user function throw. */
export type ErrorPolicy<T = unknown> =
  | { readonly kind: 'fail' }
  /**
   * Goes on, writing the record and its coordinates to the dead-letter side output. Behind a
   * shuffle the coordinates travel with the records, from the source to this operator: that costs
   * some 30 bytes and 100 ns a record, and nothing in jobs without this policy.
   */
  | { readonly kind: 'dead-letter'; readonly tag: OutputTag<DeadLetter<T>> }
  /** Goes on until more than `budget` records were skipped in this attempt. */
  | { readonly kind: 'skip'; readonly budget: number }

/**
 * A record that could not be processed, with where it came from: the source, its split and the
 * offset there of what was read and led to this record, over any number of operators and shuffles.
 * All three are `undefined` for what came from no single record: results of windows and timers, and
 * requests that were in flight when the job restarted. A pair of a join has those of its record
 * that came last.
 */
export interface DeadLetter<T = unknown> {
  readonly operator: string
  readonly code: string
  readonly message: string
  readonly source: string | undefined
  readonly split: string | undefined
  readonly offset: string | undefined
  /** The record, or the raw text where it could not be parsed. */
  readonly record: T
}
