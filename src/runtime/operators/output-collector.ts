/**
 * The collector that an operator hands to its user function: one object an operator instance.
 *
 * `emitting` is true while a record is on its way through the operators behind: an error that comes
 * out then is theirs, not the user function's, and no error policy of this operator applies to it.
 */
import type { Collector } from '../../api/functions.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'

export interface OutputCollector extends Collector<unknown> {
  /** The timestamp that collected values carry. Set before each call of the user function. */
  timestamp: number
  emitting: boolean
}

interface CollectorParts {
  readonly emit: Push
  readonly metrics: OperatorMetrics
}

/** Self-contained: see `cloneFunction`. */
function collectorFactory({ emit, metrics }: CollectorParts): OutputCollector {
  const collector: OutputCollector = {
    timestamp: Number.NEGATIVE_INFINITY,
    emitting: false,
    collect(value: unknown): void {
      metrics.recordsOut++
      collector.emitting = true
      emit(value, collector.timestamp)
      collector.emitting = false
    },
  }
  return collector
}

export function makeCollector(context: OperatorContext): OutputCollector {
  return cloneFunction(collectorFactory)({ emit: context.emit, metrics: context.metrics })
}
