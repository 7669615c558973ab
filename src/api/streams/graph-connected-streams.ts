/** Two streams into one function: {@link ConnectedStreams} and its three relatives. */
import type { Schema } from '../../schema/type.ts'
import type {
  BroadcastConnectedStream,
  ConnectedStreams,
  KeyedBroadcastConnectedStream,
  KeyedConnectedStreams,
  OperatorStream,
} from '../data-stream.ts'
import type {
  BroadcastProcessFunction,
  BroadcastStateDescriptors,
  CoProcessFunction,
  Key,
  KeyedBroadcastProcessFunction,
  KeyedCoProcessFunction,
  KeySelector,
  OperatorStateDescriptors,
} from '../functions.ts'
import type { NoState, StateDescriptors } from '../state-descriptor.ts'
import { partitionedBy, type StreamOrigin } from '../stream-origin.ts'
import type { OperatorSpec } from '../transformation.ts'
import { addOperator, erased, type StreamContext, typeOrGeneral } from './stream-context.ts'

export type Selector = KeySelector<unknown, Key>

/** The two inputs of one operator, and how it keys them. */
class ConnectedInputs {
  protected readonly context: StreamContext
  protected readonly inputs: readonly StreamOrigin[]
  readonly #keySelectors: readonly Selector[]

  constructor(
    context: StreamContext,
    inputs: readonly StreamOrigin[],
    keySelectors: readonly Selector[] = [],
  ) {
    this.context = context
    this.inputs = inputs
    this.#keySelectors = keySelectors
  }

  protected add<OUT>(operator: OperatorSpec, output: Schema<OUT> | undefined): OperatorStream<OUT> {
    return addOperator<OUT>(this.context, {
      operator,
      name: operator.kind,
      inputs: this.inputs,
      keySelectors: this.#keySelectors,
      outputType: typeOrGeneral(output),
    })
  }
}

export class GraphConnectedStreams<A, B> extends ConnectedInputs implements ConnectedStreams<A, B> {
  keyBy<const K extends Key>(
    first: KeySelector<A, K>,
    second: KeySelector<B, K>,
  ): KeyedConnectedStreams<A, B, K> {
    const selectors: Selector[] = [erased(first), erased(second)]
    const keyed = this.inputs.map((input, index) =>
      partitionedBy(input, { kind: 'key', selector: erased(selectors[index]) }),
    )
    return new GraphKeyedConnectedStreams(this.context, keyed, selectors)
  }

  process<OUT, O extends OperatorStateDescriptors = NoState>(
    fn: CoProcessFunction<A, B, OUT, O>,
  ): OperatorStream<OUT> {
    return this.add({ kind: 'co-process', fn: erased(fn) }, fn.output)
  }
}

export class GraphKeyedConnectedStreams<A, B, K extends Key>
  extends ConnectedInputs
  implements KeyedConnectedStreams<A, B, K>
{
  process<OUT, S extends StateDescriptors = NoState>(
    fn: KeyedCoProcessFunction<K, A, B, OUT, S>,
  ): OperatorStream<OUT> {
    return this.add({ kind: 'keyed-co-process', fn: erased(fn) }, fn.output)
  }
}

export class GraphBroadcastConnectedStream<A, BC>
  extends ConnectedInputs
  implements BroadcastConnectedStream<A, BC>
{
  process<OUT, B extends BroadcastStateDescriptors = NoState>(
    fn: BroadcastProcessFunction<A, BC, OUT, B>,
  ): OperatorStream<OUT> {
    return this.add({ kind: 'broadcast-process', fn: erased(fn) }, fn.output)
  }
}

export class GraphKeyedBroadcastConnectedStream<A, BC, K extends Key>
  extends ConnectedInputs
  implements KeyedBroadcastConnectedStream<A, BC, K>
{
  process<OUT, B extends BroadcastStateDescriptors = NoState, S extends StateDescriptors = NoState>(
    fn: KeyedBroadcastProcessFunction<K, A, BC, OUT, B, S>,
  ): OperatorStream<OUT> {
    return this.add({ kind: 'keyed-broadcast-process', fn: erased(fn) }, fn.output)
  }
}
