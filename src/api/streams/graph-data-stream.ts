/** {@link DataStream} and {@link OperatorStream} as they write to the graph. */
import type { Schema } from '../../schema/type.ts'
import { apiErrors } from '../api-errors.ts'
import { callLocation } from '../call-location.ts'
import type {
  AsyncMapOptions,
  BroadcastConnectedStream,
  BroadcastStream,
  ConnectedStreams,
  DataStream,
  KeyedStream,
  OperatorStream,
  PairedStreams,
  StreamSink,
  WindowedCoGroup,
  WindowedJoin,
  WindowedStream,
} from '../data-stream.ts'
import type {
  AsyncFunction,
  ErrorPolicy,
  FilterFunction,
  FlatMapFunction,
  Key,
  KeySelector,
  MapFunction,
  OperatorStateDescriptors,
  OutputTag,
  ProcessFunction,
} from '../functions.ts'
import type { Sink } from '../sink.ts'
import type { JsonValue } from '../source.ts'
import type { NoState } from '../state-descriptor.ts'
import { ORIGIN, partitionedBy, type StreamOrigin } from '../stream-origin.ts'
import type { OperatorSpec, Partitioner, Transformation } from '../transformation.ts'
import { resolveWatermarks, type WatermarkChoice } from '../watermarks.ts'
import type { WindowAssigner } from '../window.ts'
import { resolveAsyncOptions, singleAnswer } from './async-options.ts'
import { GraphBroadcastConnectedStream, GraphConnectedStreams } from './graph-connected-streams.ts'
import { GraphKeyedStream } from './graph-keyed-stream.ts'
import { GraphWindowedCoGroup, GraphWindowedJoin, pairStreams } from './graph-paired-streams.ts'
import { GraphSettings } from './graph-settings.ts'
import { GraphWindowedStream } from './graph-windowed-stream.ts'
import { addOperator, erased, type StreamContext, typeOrGeneral } from './stream-context.ts'

export class GraphDataStream<T> implements DataStream<T> {
  readonly [ORIGIN]: StreamOrigin
  protected readonly context: StreamContext

  constructor(context: StreamContext, origin: StreamOrigin) {
    this.context = context
    this[ORIGIN] = origin
  }

  map<OUT>(fn: MapFunction<T, OUT>, output?: Schema<OUT>): OperatorStream<OUT> {
    return this.#add({ kind: 'map', fn: erased(fn) }, output)
  }

  filter<S extends T>(fn: FilterFunction<T>): OperatorStream<S> {
    const operator: OperatorSpec = { kind: 'filter', fn: erased(fn) }
    return this.#add<S>(operator, erased(this[ORIGIN].type))
  }

  flatMap<OUT>(fn: FlatMapFunction<T, OUT>, output?: Schema<OUT>): OperatorStream<OUT> {
    return this.#add({ kind: 'flat-map', fn: erased(fn) }, output)
  }

  process<OUT, O extends OperatorStateDescriptors = NoState>(
    fn: ProcessFunction<T, OUT, O>,
  ): OperatorStream<OUT> {
    return this.#add({ kind: 'process', fn: erased(fn) }, fn.output)
  }

  asyncMap<OUT>(
    fn: (value: T, signal: AbortSignal) => Promise<OUT>,
    options: AsyncMapOptions<OUT> = {},
  ): OperatorStream<OUT> {
    return this.async(singleAnswer(fn), options)
  }

  async<OUT>(fn: AsyncFunction<T, OUT>, options: AsyncMapOptions<OUT> = {}): OperatorStream<OUT> {
    const resolved = resolveAsyncOptions(options)
    const operator: OperatorSpec = { kind: 'async', fn: erased(fn), options: resolved }
    return this.#add(operator, options.output ?? fn.output)
  }

  assignTimestampsAndWatermarks(strategy: WatermarkChoice<T>): OperatorStream<T> {
    const watermarks = erased<ReturnType<typeof resolveWatermarks>>(resolveWatermarks(strategy))
    return this.#add<T>({ kind: 'watermarks', watermarks }, erased(this[ORIGIN].type))
  }

  to<C extends JsonValue>(sink: Sink<T, C>): StreamSink {
    const transformation = this.context.builder.add({
      operator: { kind: 'sink', sink: erased(sink) },
      name: sink.name,
      inputs: [this[ORIGIN]],
      outputType: this[ORIGIN].type,
    })
    return new GraphSettings(transformation)
  }

  sinkTo<C extends JsonValue>(sink: Sink<T, C>): StreamSink {
    return this.to(sink)
  }

  keyBy<const K extends Key>(selector: KeySelector<T, K>): KeyedStream<T, K> {
    return new GraphKeyedStream(this.context, this[ORIGIN], selector)
  }

  windowAll(assigner: WindowAssigner<T>): WindowedStream<T, number> {
    const keyed = new GraphKeyedStream<T, number>(this.context, this[ORIGIN], () => 0)
    return new GraphWindowedStream(this.context, { keyed, assigner, parallelism: 1 })
  }

  union<U = T>(...others: readonly DataStream<U>[]): DataStream<T | U> {
    const origins = [this[ORIGIN], ...others.map(other => other[ORIGIN])]
    const sources = origins.flatMap(origin => origin.sources)
    if (origins.some(origin => origin.owner !== this[ORIGIN].owner)) {
      throw apiErrors.WEIR_STREAM_FOREIGN({ location: callLocation() })
    }
    const layouts = new Set(origins.map(origin => JSON.stringify(origin.type.schema)))
    const type = layouts.size === 1 ? this[ORIGIN].type : typeOrGeneral(undefined)
    return new GraphDataStream(this.context, { ...this[ORIGIN], sources, type })
  }

  connect<B>(other: BroadcastStream<B>): BroadcastConnectedStream<T, B>
  connect<B>(other: DataStream<B>): ConnectedStreams<T, B>
  connect<B>(other: DataStream<B>): BroadcastConnectedStream<T, B> | ConnectedStreams<T, B> {
    const inputs = [this[ORIGIN], other[ORIGIN]]
    return 'isBroadcast' in other
      ? new GraphBroadcastConnectedStream(this.context, inputs)
      : new GraphConnectedStreams(this.context, inputs)
  }

  join<B>(other: DataStream<B>): PairedStreams<T, B, WindowedJoin<T, B>> {
    const streams = { first: this, second: other }
    return pairStreams(this.context, streams, parts => new GraphWindowedJoin<T, B>(parts))
  }

  coGroup<B>(other: DataStream<B>): PairedStreams<T, B, WindowedCoGroup<T, B>> {
    const streams = { first: this, second: other }
    return pairStreams(this.context, streams, parts => new GraphWindowedCoGroup<T, B>(parts))
  }

  rebalance(): DataStream<T> {
    return this.#partitioned({ kind: 'rebalance' })
  }

  rescale(): DataStream<T> {
    return this.#partitioned({ kind: 'rescale' })
  }

  shuffle(): DataStream<T> {
    return this.#partitioned({ kind: 'shuffle' })
  }

  forward(): DataStream<T> {
    return this.#partitioned({ kind: 'forward' })
  }

  global(): DataStream<T> {
    return this.#partitioned({ kind: 'global' })
  }

  broadcast(): BroadcastStream<T> {
    return new GraphBroadcastStream(
      this.context,
      partitionedBy(this[ORIGIN], { kind: 'broadcast' }),
    )
  }

  partitionCustom<const K extends Key>(
    selector: KeySelector<T, K>,
    partition: (key: K, partitions: number) => number,
  ): DataStream<T> {
    return this.#partitioned({
      kind: 'custom',
      selector: erased(selector),
      partition: erased(partition),
    })
  }

  #partitioned(partitioner: Partitioner): GraphDataStream<T> {
    return new GraphDataStream(this.context, partitionedBy(this[ORIGIN], partitioner))
  }

  #add<OUT>(operator: OperatorSpec, output: Schema<OUT> | undefined): OperatorStream<OUT> {
    return addOperator<OUT>(this.context, {
      operator,
      name: operator.kind,
      inputs: [this[ORIGIN]],
      outputType: typeOrGeneral(output),
    })
  }
}

class GraphBroadcastStream<T> extends GraphDataStream<T> implements BroadcastStream<T> {
  readonly isBroadcast = true
}

export class GraphOperatorStream<T> extends GraphDataStream<T> implements OperatorStream<T> {
  readonly #transformation: Transformation
  readonly #settings: GraphSettings

  constructor(context: StreamContext, transformation: Transformation) {
    super(context, originOf(context, transformation, undefined))
    this.#transformation = transformation
    this.#settings = new GraphSettings(transformation)
  }

  uid(uid: string): this {
    this.#settings.uid(uid)
    return this
  }

  name(name: string): this {
    this.#settings.name(name)
    return this
  }

  setParallelism(parallelism: number): this {
    this.#settings.setParallelism(parallelism)
    return this
  }

  startNewChain(): this {
    this.#settings.startNewChain()
    return this
  }

  disableChaining(): this {
    this.#settings.disableChaining()
    return this
  }

  returns(schema: Schema<T>): this {
    this.#transformation.outputType = typeOrGeneral(schema)
    return this
  }

  onError(policy: ErrorPolicy): this {
    this.#transformation.errorPolicy = policy
    return this
  }

  getSideOutput<S>(tag: OutputTag<S>): DataStream<S> {
    return new GraphDataStream(this.context, originOf(this.context, this.#transformation, tag))
  }
}

function originOf(
  context: StreamContext,
  from: Transformation,
  sideOutput: OutputTag<unknown> | undefined,
): StreamOrigin {
  return {
    owner: context.builder,
    sources: [{ from, partitioner: undefined, sideOutput }],
    // Read when it is used, not now: `returns` may still set the type.
    get type() {
      return sideOutput === undefined ? from.outputType : typeOrGeneral(sideOutput.type)
    },
  }
}
