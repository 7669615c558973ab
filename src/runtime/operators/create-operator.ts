import type { OperatorSpec } from '../../api/transformation.ts'
import { assertNever } from '../../common/assert.ts'
import type { OperatorContext, StreamOperator } from '../stream-operator.ts'
import { AsyncOperator } from './async-operator.ts'
import { BroadcastProcessOperator } from './broadcast-process-operator.ts'
import { CoProcessOperator } from './co-process-operator.ts'
import { FilterOperator } from './filter-operator.ts'
import { FlatMapOperator } from './flat-map-operator.ts'
import { IntervalJoinOperator } from './interval-join-operator.ts'
import { KeyedAggregateOperator } from './keyed-aggregate-operator.ts'
import { KeyedBroadcastProcessOperator } from './keyed-broadcast-process-operator.ts'
import { KeyedCoProcessOperator } from './keyed-co-process-operator.ts'
import { KeyedProcessOperator } from './keyed-process-operator.ts'
import { KeyedReduceOperator } from './keyed-reduce-operator.ts'
import { MapOperator } from './map-operator.ts'
import { ProcessOperator } from './process-operator.ts'
import { WatermarksOperator } from './watermarks-operator.ts'
import { makeWindowOperator } from './windows/choose-window-operator.ts'

/** What needs only an operator's context: all but the two ends of a stream. */
export type InnerOperatorSpec = Exclude<OperatorSpec, { readonly kind: 'source' | 'sink' }>

/**
 * Makes the operator of a spec. A source needs its task's hooks and a sink its restored
 * committables as well: the task makes these itself.
 */
export function createOperator(spec: InnerOperatorSpec, context: OperatorContext): StreamOperator {
  switch (spec.kind) {
    case 'map':
      return new MapOperator(context, spec.fn)
    case 'filter':
      return new FilterOperator(context, spec.fn)
    case 'flat-map':
      return new FlatMapOperator(context, spec.fn)
    case 'process':
      return new ProcessOperator(context, spec.fn)
    case 'watermarks':
      return new WatermarksOperator(context, spec.watermarks)
    case 'keyed-process':
      return new KeyedProcessOperator(context, spec.fn)
    case 'keyed-reduce':
      return new KeyedReduceOperator(context, spec.reduce)
    case 'keyed-aggregate':
      return new KeyedAggregateOperator(context, spec.aggregate)
    case 'window':
    case 'window-join':
    case 'window-co-group':
      return makeWindowOperator(context, spec)
    case 'interval-join':
      return new IntervalJoinOperator(context, spec)
    case 'co-process':
      return new CoProcessOperator(context, spec.fn)
    case 'keyed-co-process':
      return new KeyedCoProcessOperator(context, spec.fn)
    case 'broadcast-process':
      return new BroadcastProcessOperator(context, spec.fn)
    case 'keyed-broadcast-process':
      return new KeyedBroadcastProcessOperator(context, spec.fn)
    case 'async':
      return new AsyncOperator(context, spec.fn, spec.options)
    default:
      return assertNever(spec, 'operator kind')
  }
}
