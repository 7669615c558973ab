/** A running aggregate a key, without windows. */
import type { AggregateFunction } from '../../api/state.ts'
import { aggregatingState } from '../../api/state-descriptor.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { OperatorContext } from '../stream-operator.ts'
import { makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { keyedRunningInput } from './keyed-running-input.ts'

type AnyAggregate = AggregateFunction<unknown, unknown, unknown>

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
    const input = cloneFunction(keyedRunningInput)({
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
