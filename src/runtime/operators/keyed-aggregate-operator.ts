/** A running aggregate a key, without windows. */
import type { Key, KeySelector } from '../../api/functions.ts'
import type { AggregateFunction } from '../../api/state.ts'
import { aggregatingState } from '../../api/state-descriptor.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type {
  InternalAggregatingState,
  KeyedStateBackend,
} from '../../state/keyed-state-backend.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'

type AnyAggregate = AggregateFunction<unknown, unknown, unknown>

interface KeyedAggregateParts {
  readonly select: KeySelector<unknown, Key>
  readonly backend: KeyedStateBackend
  readonly state: InternalAggregatingState<unknown, unknown, unknown>
  readonly emit: Push
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. */
function keyedAggregateInput(parts: KeyedAggregateParts): Push {
  const { select, backend, state, emit, metrics, errors } = parts
  return (value, timestamp) => {
    metrics.recordsIn++
    let result: unknown
    try {
      backend.setCurrentKey(select(value))
      state.add(value)
      result = state.get()
    } catch (error) {
      errors.handle(error, value)
      return
    }
    metrics.recordsOut++
    emit(result, timestamp)
  }
}

/** A running aggregate a key: each record gives the result that includes it. */
export class KeyedAggregateOperator extends AbstractStreamOperator {
  readonly #aggregate: AnyAggregate

  constructor(context: OperatorContext, aggregate: AnyAggregate) {
    super(context)
    this.#aggregate = aggregate
  }

  open(): void {
    const { context } = this
    const backend = context.keyedState()
    const input = cloneFunction(keyedAggregateInput)({
      select: this.selector(0),
      backend,
      state: backend.state('aggregated', aggregatingState(this.#aggregate)),
      emit: context.emit,
      metrics: context.metrics,
      errors: makeErrorHandler(context),
    })
    this.inputs = [input]
  }
}
