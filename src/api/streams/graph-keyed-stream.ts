/** {@link KeyedStream} as it writes to the graph. */
import type { Schema, Type } from '../../schema/type.ts'
import type {
  BroadcastStream,
  DataStream,
  IntervalJoin,
  KeyedBroadcastConnectedStream,
  KeyedConnectedStreams,
  KeyedStream,
  NumericField,
  OperatorStream,
  OrderedField,
  WindowedStream,
} from '../data-stream.ts'
import { maxBy, minBy, sum } from '../field-reducers.ts'
import type { Key, KeyedProcessFunction, KeySelector } from '../functions.ts'
import type { AggregateFunction, ReduceFunction } from '../state.ts'
import type { NoState, StateDescriptors } from '../state-descriptor.ts'
import { ORIGIN, partitionedBy, type StreamOrigin } from '../stream-origin.ts'
import type { OperatorSpec } from '../transformation.ts'
import type { WindowAssigner } from '../window.ts'
import { countWindows } from '../windows/count-windows.ts'
import {
  GraphKeyedBroadcastConnectedStream,
  GraphKeyedConnectedStreams,
  type Selector,
} from './graph-connected-streams.ts'
import { GraphIntervalJoin } from './graph-interval-join.ts'
import { GraphWindowedStream } from './graph-windowed-stream.ts'
import { addOperator, erased, type StreamContext, typeOrGeneral } from './stream-context.ts'

export class GraphKeyedStream<T, K extends Key> implements KeyedStream<T, K> {
  readonly [ORIGIN]: StreamOrigin
  readonly keySelector: KeySelector<T, K>
  readonly #context: StreamContext

  constructor(context: StreamContext, origin: StreamOrigin, selector: KeySelector<T, K>) {
    this.#context = context
    this.keySelector = selector
    this[ORIGIN] = partitionedBy(origin, { kind: 'key', selector: erased(selector) })
  }

  reduce(fn: ReduceFunction<T>): OperatorStream<T> {
    const operator: OperatorSpec = { kind: 'keyed-reduce', reduce: erased(fn) }
    return this.#add(operator, this[ORIGIN].type as Type<T>)
  }

  aggregate<ACC, OUT>(fn: AggregateFunction<T, ACC, OUT>): OperatorStream<OUT> {
    return this.#add({ kind: 'keyed-aggregate', aggregate: erased(fn) }, fn.output)
  }

  sum(field: NumericField<T>): OperatorStream<T> {
    return this.reduce(sum(field))
  }

  minBy(field: OrderedField<T>): OperatorStream<T> {
    return this.reduce(minBy(field))
  }

  maxBy(field: OrderedField<T>): OperatorStream<T> {
    return this.reduce(maxBy(field))
  }

  process<OUT, S extends StateDescriptors = NoState>(
    fn: KeyedProcessFunction<K, T, OUT, S>,
  ): OperatorStream<OUT> {
    return this.#add({ kind: 'keyed-process', fn: erased(fn) }, fn.output)
  }

  window(assigner: WindowAssigner<T>): WindowedStream<T, K> {
    return new GraphWindowedStream(this.#context, { keyed: this, assigner })
  }

  countWindow(size: number, slide = size): WindowedStream<T, K> {
    const { assigner, trigger, evictor } = countWindows<T>(size, slide)
    const windowed = this.window(assigner).trigger(trigger)
    return evictor === undefined ? windowed : windowed.evictor(evictor)
  }

  intervalJoin<B>(other: KeyedStream<B, K>): IntervalJoin<T, B> {
    return new GraphIntervalJoin<T, B>(this.#context, { left: this, right: other })
  }

  connect<B>(other: BroadcastStream<B>): KeyedBroadcastConnectedStream<T, B, K>
  connect<B>(other: KeyedStream<B, K>): KeyedConnectedStreams<T, B, K>
  connect<B>(
    other: BroadcastStream<B> | KeyedStream<B, K>,
  ): KeyedBroadcastConnectedStream<T, B, K> | KeyedConnectedStreams<T, B, K> {
    const inputs = [this[ORIGIN], other[ORIGIN]]
    const selector: Selector = erased(this.keySelector)
    if ('isBroadcast' in other) {
      return new GraphKeyedBroadcastConnectedStream(this.#context, inputs, [selector])
    }
    const selectors = [selector, erased<Selector>(other.keySelector)]
    return new GraphKeyedConnectedStreams(this.#context, inputs, selectors)
  }

  toDataStream(): DataStream<T> {
    return this.#context.dataStream(this[ORIGIN])
  }

  #add<OUT>(operator: OperatorSpec, output: Schema<OUT> | undefined): OperatorStream<OUT> {
    return addOperator<OUT>(this.#context, {
      operator,
      name: operator.kind,
      inputs: [this[ORIGIN]],
      keySelectors: [erased(this.keySelector)],
      outputType: typeOrGeneral(output),
    })
  }
}
