/** A running reduction a key, without windows. */
import type { ReduceFunction } from '../../api/state.ts'
import { reducingState } from '../../api/state-descriptor.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { OperatorContext } from '../stream-operator.ts'
import { makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { keyedRunningInput } from './keyed-running-input.ts'

/** A running reduction a key: each record gives the value that includes it. */
export class KeyedReduceOperator extends AbstractStreamOperator {
  readonly #reduce: ReduceFunction<unknown>

  constructor(context: OperatorContext, reduce: ReduceFunction<unknown>) {
    super(context)
    this.#reduce = reduce
  }

  open(): void {
    const { context } = this
    const backend = context.keyedState()
    const input = cloneFunction(keyedRunningInput)({
      select: this.selector(0),
      backend,
      state: backend.state('reduced', reducingState(this.#reduce, context.inputTypes[0])),
      emit: context.emit,
      metrics: context.metrics,
      errors: makeErrorHandler(context),
    })
    this.inputs = [input]
  }
}
