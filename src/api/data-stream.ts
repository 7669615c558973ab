/**
 * The streams of a job, as its author sees them. All calls are described here in one place; what
 * they do to the graph is in `streams/`, one class for each interface.
 *
 * A call that does something with records (`map`, `process`, `reduce`, `to` …) adds one operator
 * and gives its output as an {@link OperatorStream}, whose setters (`uid`, `name` …) are about
 * that operator. The others (`keyBy`, `union`, `rebalance` …) only say where records go next.
 * Nothing runs while a job is built.
 */
import type { Duration } from '../common/duration.ts'
import type { Schema } from '../schema/type.ts'
import type {
  AsyncFunction,
  BroadcastProcessFunction,
  BroadcastStateDescriptors,
  CoGroupFunction,
  Collector,
  CoProcessFunction,
  ErrorPolicy,
  FilterFunction,
  FlatMapFunction,
  IntervalJoinFunction,
  JoinFunction,
  Key,
  KeyedBroadcastProcessFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  KeySelector,
  MapFunction,
  OperatorStateDescriptors,
  OutputTag,
  ProcessFunction,
} from './functions.ts'
import type { Sink } from './sink.ts'
import type { JsonValue } from './source.ts'
import type { AggregateFunction, ReduceFunction } from './state.ts'
import type { NoState, StateDescriptors } from './state-descriptor.ts'
import type { ORIGIN, StreamOrigin } from './stream-origin.ts'
import type { WatermarkChoice } from './watermarks.ts'
import type { Evictor, ProcessWindowFunction, Trigger, Window, WindowAssigner } from './window.ts'

/**
 * A stream of records of one type.
 *
 * ```ts
 * orders
 *   .filter(order => order.amount > 0)
 *   .map(order => ({ customer: order.customer, cents: order.amount * 100 }), Cents)
 *   .to(centsSink)
 * ```
 */
export interface DataStream<T> {
  /** For Weir itself: where the records come from. */
  readonly [ORIGIN]: StreamOrigin

  /** One record in, one out. `output`, the schema of the results, makes them travel fast. */
  map<OUT>(fn: MapFunction<T, OUT>, output?: Schema<OUT>): OperatorStream<OUT>
  /** Keeps the records for which `fn` is true. */
  filter<S extends T>(fn: (value: T) => value is S): OperatorStream<S>
  filter(fn: FilterFunction<T>): OperatorStream<T>
  /** One record in, any number out: what `fn` returns, and what it gives to `out.collect`. */
  flatMap<OUT>(fn: FlatMapFunction<T, OUT>, output?: Schema<OUT>): OperatorStream<OUT>
  /** A function with side outputs, operator state and a lifecycle. */
  process<OUT, O extends OperatorStateDescriptors = NoState>(
    fn: ProcessFunction<T, OUT, O>,
  ): OperatorStream<OUT>
  /** Asks a service for every record and emits its one answer. Needs a uid. */
  asyncMap<OUT>(
    fn: (value: T, signal: AbortSignal) => Promise<OUT>,
    options?: AsyncMapOptions<OUT>,
  ): OperatorStream<OUT>
  /** The same with any number of answers, and with a lifecycle. Needs a uid. */
  async<OUT>(fn: AsyncFunction<T, OUT>, options?: AsyncMapOptions<OUT>): OperatorStream<OUT>
  /**
   * Gives new timestamps and watermarks; better done at the source, where each split has its own.
   */
  assignTimestampsAndWatermarks(strategy: WatermarkChoice<T>): OperatorStream<T>
  /** Writes the records. */
  to<C extends JsonValue>(sink: Sink<T, C>): StreamSink
  /** The same under Flink's name. */
  sinkTo<C extends JsonValue>(sink: Sink<T, C>): StreamSink

  /**
   * Brings the records of one key together. A key is a primitive or a tuple of primitives:
   * `keyBy(t => t.account)`, `keyBy(t => [t.shop, t.day])`.
   */
  keyBy<const K extends Key>(selector: KeySelector<T, K>): KeyedStream<T, K>
  /** Windows over all records at once: one subtask does all the work. */
  windowAll(assigner: WindowAssigner<T>): WindowedStream<T, number>
  /** The records of several streams, in any order. */
  union<U = T>(...others: readonly DataStream<U>[]): DataStream<T | U>
  /** Two streams into one function, which may share state between them. */
  connect<B>(other: BroadcastStream<B>): BroadcastConnectedStream<T, B>
  connect<B>(other: DataStream<B>): ConnectedStreams<T, B>
  /** Pairs of records with the same key and window: `a.join(b).where(…).equalTo(…).window(…)`. */
  join<B>(other: DataStream<B>): PairedStreams<T, B, WindowedJoin<T, B>>
  /** The records of both streams with the same key and window, also when one side has none. */
  coGroup<B>(other: DataStream<B>): PairedStreams<T, B, WindowedCoGroup<T, B>>

  /** Round robin over all subtasks: evens out skew. */
  rebalance(): DataStream<T>
  /** Round robin over the nearest subtasks only. */
  rescale(): DataStream<T>
  /** A random subtask. */
  shuffle(): DataStream<T>
  /** The same subtask. Refused when the next operator's parallelism differs. */
  forward(): DataStream<T>
  /** Subtask 0. */
  global(): DataStream<T>
  /** Every subtask gets every record. */
  broadcast(): BroadcastStream<T>
  /** `partition(key, n)` names the subtask, 0 to n - 1. */
  partitionCustom<const K extends Key>(
    selector: KeySelector<T, K>,
    partition: (key: K, partitions: number) => number,
  ): DataStream<T>
}

/** What can be set for the operator that was added last. */
export interface OperatorSettings {
  /**
   * The operator's stable name: state is found again by it after a restart or an upgrade. Required
   * for every operator with state; letters, digits, `.`, `_` and `-`.
   */
  uid(uid: string): this
  /** For people: shown in plans, metrics and the dashboard. */
  name(name: string): this
  /** Default: the job's. */
  setParallelism(parallelism: number): this
  /** Not chained to what comes before it; what follows may be chained. */
  startNewChain(): this
  /** Not chained to anything. */
  disableChaining(): this
}

/** The output of an operator. */
export interface OperatorStream<T> extends DataStream<T>, OperatorSettings {
  /** The schema of the results, where the function does not say it itself. */
  returns(schema: Schema<T>): this
  /** What becomes of a record that makes the function throw. Default: the job fails. */
  onError(policy: ErrorPolicy): this
  /** What the operator emitted to this tag. */
  getSideOutput<S>(tag: OutputTag<S>): DataStream<S>
}

/** The end of a stream. */
export interface StreamSink extends OperatorSettings {}

/** A stream of which every subtask gets every record. */
export interface BroadcastStream<T> extends DataStream<T> {
  readonly isBroadcast: true
}

/**
 * How many requests run at once, how long they may take and how often they are tried.
 *
 * ```ts
 * orders
 *   .asyncMap((order, signal) => scoreOf(order.customer, signal), {
 *     ordered: false,
 *     timeout: '5s',
 *     capacity: 200,
 *     retry: { maxAttempts: 3, delay: '100ms', backoff: 2 },
 *     output: z.number(),
 *   })
 *   .uid('scores')
 * ```
 */
export interface AsyncMapOptions<OUT> {
  /** Results in the order of the records (the default), or as they come. */
  readonly ordered?: boolean
  /** For one record, all retries included. Default 1 minute; 0: none. */
  readonly timeout?: Duration
  /** Requests in flight a subtask; beyond it the input waits. Default 100. */
  readonly capacity?: number
  readonly retry?: {
    /** All tries, the first one included. */
    readonly maxAttempts: number
    readonly delay: Duration
    /** Each delay is the last one times this. Default 1: fixed. */
    readonly backoff?: number
    readonly maxDelay?: Duration
    /** Which errors are tried again. Default: all. */
    readonly onError?: (error: unknown) => boolean
    /** Which answers are tried again. Default: none. */
    readonly onResult?: (results: readonly OUT[]) => boolean
  }
  readonly output?: Schema<OUT>
}

/**
 * A stream whose records are together by key. Every operation on it needs a uid.
 *
 * ```ts
 * orders
 *   .keyBy(order => order.customer)
 *   .process({
 *     output: z.string(),
 *     state: { orders: valueState(z.int32(), { ttl: { ttlMs: 86_400_000 } }) },
 *     processElement(_order, { key, state, timers, timestamp }, out) {
 *       const orders = (state.orders.value() ?? 0) + 1
 *       state.orders.update(orders)
 *       if (orders === 1) timers.registerEventTimeTimer((timestamp ?? 0) + 60_000)
 *       if (orders === 10) out.collect(key)
 *     },
 *     onTimer(_timestamp, { state }) {
 *       state.orders.clear()
 *     },
 *   })
 *   .uid('eager-customers')
 * ```
 */
export interface KeyedStream<T, K extends Key> {
  readonly [ORIGIN]: StreamOrigin
  readonly keySelector: KeySelector<T, K>

  /** Emits, for each record, the combination of all records of its key so far. */
  reduce(fn: ReduceFunction<T>): OperatorStream<T>
  /** Emits, for each record, the aggregate of all records of its key so far. */
  aggregate<ACC, OUT>(fn: AggregateFunction<T, ACC, OUT>): OperatorStream<OUT>
  /** Adds up one field; the other fields are those of the key's first record. */
  sum(field: NumericField<T>): OperatorStream<T>
  /** The record with the smallest, or greatest, value of the field; the first one of equals. */
  minBy(field: OrderedField<T>): OperatorStream<T>
  maxBy(field: OrderedField<T>): OperatorStream<T>
  /** A function with keyed state and timers. */
  process<OUT, S extends StateDescriptors = NoState>(
    fn: KeyedProcessFunction<K, T, OUT, S>,
  ): OperatorStream<OUT>
  window(assigner: WindowAssigner<T>): WindowedStream<T, K>
  /** Windows of `size` records, a new one every `slide` records (default `size`). */
  countWindow(size: number, slide?: number): WindowedStream<T, K>
  /** Pairs with the records of `other` whose time is near. */
  intervalJoin<B>(other: KeyedStream<B, K>): IntervalJoin<T, B>
  connect<B>(other: BroadcastStream<B>): KeyedBroadcastConnectedStream<T, B, K>
  connect<B>(other: KeyedStream<B, K>): KeyedConnectedStreams<T, B, K>
  /** The records as a plain stream that is still partitioned by key. */
  toDataStream(): DataStream<T>
}

/** The names of the fields that can be added up. */
export type NumericField<T> = {
  [N in keyof T]: T[N] extends number | bigint ? N : never
}[keyof T] &
  string

/** The names of the fields that can be compared. */
export type OrderedField<T> = {
  [N in keyof T]: T[N] extends number | bigint | string ? N : never
}[keyof T] &
  string

/** A window as functions get it: with the key its records share. */
export interface KeyedWindow<K extends Key> extends Window {
  readonly key: K
}

/** Makes the result from a window's one aggregate. */
export type WindowResultFunction<IN, OUT, K extends Key> = (
  value: IN,
  window: KeyedWindow<K>,
) => OUT

/** Makes the results from a window's records. */
export type WindowFunction<IN, OUT, K extends Key> = (
  elements: readonly IN[],
  window: KeyedWindow<K>,
  out: Collector<OUT>,
) => Iterable<OUT> | void

/**
 * Keyed records in windows. Each call gives a new object; the last one adds the operator.
 *
 * ```ts
 * orders
 *   .keyBy(order => order.customer)
 *   .window(sliding('1h', '5m'))
 *   .allowedLateness('10m')
 *   .sideOutputLateData(lateOrders)
 *   .aggregate(
 *     combining({ orders: counting(), spent: summing(order => order.amount) }),
 *     ({ orders, spent }, { key, end }) => ({ customer: key, end, mean: spent / orders }),
 *   )
 *   .uid('spending')
 * ```
 */
export interface WindowedStream<T, K extends Key> {
  /** Decides when a window emits; default: the assigner's. */
  trigger(trigger: Trigger<T>): WindowedStream<T, K>
  /** Removes records before or after the function sees them; the window then keeps all records. */
  evictor(evictor: Evictor<T>): WindowedStream<T, K>
  /** Windows live on for this long after the watermark and fire again for each late record. */
  allowedLateness(lateness: Duration): WindowedStream<T, K>
  /** Takes what comes later than that; without it such records are dropped and counted. */
  sideOutputLateData(tag: OutputTag<T>): WindowedStream<T, K>

  /** Combines the records of a window as they come. */
  reduce(fn: ReduceFunction<T>): OperatorStream<T>
  reduce<OUT>(fn: ReduceFunction<T>, result: WindowResultFunction<T, OUT, K>): OperatorStream<OUT>
  reduce<OUT, WS extends StateDescriptors = NoState, GS extends StateDescriptors = NoState>(
    fn: ReduceFunction<T>,
    result: ProcessWindowFunction<T, OUT, K, WS, GS>,
  ): OperatorStream<OUT>
  /** Aggregates the records of a window as they come; with `merge`, windows share panes. */
  aggregate<ACC, RESULT>(fn: AggregateFunction<T, ACC, RESULT>): OperatorStream<RESULT>
  aggregate<ACC, RESULT, OUT>(
    fn: AggregateFunction<T, ACC, RESULT>,
    result: WindowResultFunction<RESULT, OUT, K>,
  ): OperatorStream<OUT>
  aggregate<
    ACC,
    RESULT,
    OUT,
    WS extends StateDescriptors = NoState,
    GS extends StateDescriptors = NoState,
  >(
    fn: AggregateFunction<T, ACC, RESULT>,
    result: ProcessWindowFunction<RESULT, OUT, K, WS, GS>,
  ): OperatorStream<OUT>
  /** Adds up one field; the other fields are those of the window's first record. */
  sum(field: NumericField<T>): OperatorStream<T>
  minBy(field: OrderedField<T>): OperatorStream<T>
  maxBy(field: OrderedField<T>): OperatorStream<T>
  /** Sees all records of the window at once; they are kept until it fires. */
  process<OUT, WS extends StateDescriptors = NoState, GS extends StateDescriptors = NoState>(
    fn: ProcessWindowFunction<T, OUT, K, WS, GS>,
  ): OperatorStream<OUT>
  /** The same with a plain function. */
  apply<OUT>(fn: WindowFunction<T, OUT, K>, output?: Schema<OUT>): OperatorStream<OUT>
}

/** Two streams without keys. */
export interface ConnectedStreams<A, B> {
  keyBy<const K extends Key>(
    first: KeySelector<A, K>,
    second: KeySelector<B, K>,
  ): KeyedConnectedStreams<A, B, K>
  process<OUT, O extends OperatorStateDescriptors = NoState>(
    fn: CoProcessFunction<A, B, OUT, O>,
  ): OperatorStream<OUT>
}

/**
 * Two streams keyed alike: their functions see the same keyed state.
 *
 * ```ts
 * orders
 *   .keyBy(order => order.customer)
 *   .connect(customers.keyBy(customer => customer.id))
 *   .process({
 *     output: z.string(),
 *     state: { city: valueState(z.string()) },
 *     processElement1: (_order, { state }, out) => out.collect(state.city.value() ?? 'unknown'),
 *     processElement2: (customer, { state }) => state.city.update(customer.city),
 *   })
 *   .uid('cities')
 * ```
 */
export interface KeyedConnectedStreams<A, B, K extends Key> {
  process<OUT, S extends StateDescriptors = NoState>(
    fn: KeyedCoProcessFunction<K, A, B, OUT, S>,
  ): OperatorStream<OUT>
}

/** A stream with a broadcast one beside it. */
export interface BroadcastConnectedStream<A, BC> {
  process<OUT, B extends BroadcastStateDescriptors = NoState>(
    fn: BroadcastProcessFunction<A, BC, OUT, B>,
  ): OperatorStream<OUT>
}

/**
 * A keyed stream with a broadcast one beside it.
 *
 * ```ts
 * orders
 *   .keyBy(order => order.customer)
 *   .connect(limits.broadcast())
 *   .process({
 *     output: z.string(),
 *     broadcast: { limits: mapState(z.string(), z.number()) },
 *     processElement(order, { broadcast }, out) {
 *       const limit = broadcast.limits.get(order.customer)
 *       if (limit !== undefined && order.amount > limit) out.collect(order.customer)
 *     },
 *     processBroadcastElement(limit, { broadcast }) {
 *       broadcast.limits.put(limit.customer, limit.amount)
 *     },
 *   })
 *   .uid('over-limit')
 * ```
 */
export interface KeyedBroadcastConnectedStream<A, BC, K extends Key> {
  process<OUT, B extends BroadcastStateDescriptors = NoState, S extends StateDescriptors = NoState>(
    fn: KeyedBroadcastProcessFunction<K, A, BC, OUT, B, S>,
  ): OperatorStream<OUT>
}

/**
 * Two streams to be joined in windows; `END` is what `window` gives.
 *
 * ```ts
 * orders
 *   .join(customers)
 *   .where(order => order.customer)
 *   .equalTo(customer => customer.id)
 *   .window(tumbling('1h'))
 *   .apply((order, customer) => ({ city: customer.city, amount: order.amount }))
 *   .uid('orders-by-city')
 * ```
 */
export interface PairedStreams<A, B, END> {
  /** The key of the first stream's records. */
  where<const K extends Key>(selector: KeySelector<A, K>): PairedWhere<A, B, K, END>
}

/** Waits for the key of the second stream. */
export interface PairedWhere<A, B, K extends Key, END> {
  /** The key of the second stream's records. */
  equalTo(selector: KeySelector<B, K>): PairedKeys<A, B, END>
}

/** Waits for the windows in which records meet. */
export interface PairedKeys<A, B, END> {
  window(assigner: WindowAssigner<A | B>): END
}

/** Pairs of records; each setter gives a new object. */
export interface WindowedJoin<A, B> {
  trigger(trigger: Trigger<A | B>): WindowedJoin<A, B>
  allowedLateness(lateness: Duration): WindowedJoin<A, B>
  /** Called for every pair. */
  apply<OUT>(fn: JoinFunction<A, B, OUT>, output?: Schema<OUT>): OperatorStream<OUT>
}

/** Groups of records; each setter gives a new object. */
export interface WindowedCoGroup<A, B> {
  trigger(trigger: Trigger<A | B>): WindowedCoGroup<A, B>
  allowedLateness(lateness: Duration): WindowedCoGroup<A, B>
  /** Called once for every key and window. */
  apply<OUT>(fn: CoGroupFunction<A, B, OUT>, output?: Schema<OUT>): OperatorStream<OUT>
}

/**
 * Two keyed streams whose records meet when their times are near.
 *
 * ```ts
 * orders
 *   .keyBy(order => order.customer)
 *   .intervalJoin(clicks.keyBy(click => click.customer))
 *   .between('-10m', 0)
 *   .upperBoundExclusive()
 *   .process({
 *     output: z.string(),
 *     processPair(order, click, _context, out) {
 *       out.collect(`${click.page} ${order.amount}`)
 *     },
 *   })
 *   .uid('clicks-before-orders')
 * ```
 */
export interface IntervalJoin<A, B> {
  /** Pairs with `left + lower <= right <= left + upper`, in event time; `'-5m'` is five before. */
  between(lower: Duration, upper: Duration): BoundedIntervalJoin<A, B>
}

/** An interval join with its bounds; each setter gives a new object. */
export interface BoundedIntervalJoin<A, B> {
  lowerBoundExclusive(): BoundedIntervalJoin<A, B>
  upperBoundExclusive(): BoundedIntervalJoin<A, B>
  /** Take what comes behind the watermark; without them such records are dropped and counted. */
  sideOutputLeftLateData(tag: OutputTag<A>): BoundedIntervalJoin<A, B>
  sideOutputRightLateData(tag: OutputTag<B>): BoundedIntervalJoin<A, B>
  process<OUT>(fn: IntervalJoinFunction<A, B, OUT>): OperatorStream<OUT>
}
