/** A running reduction a key, without windows. */
import type { Key, KeySelector } from '../../api/functions.ts'
import type { ReduceFunction } from '../../api/state.ts'
import { reducingState } from '../../api/state-descriptor.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { InternalReducingState, KeyedStateBackend } from '../../state/keyed-state-backend.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'

interface KeyedReduceParts {
  readonly select: KeySelector<unknown, Key>
  readonly backend: KeyedStateBackend
  readonly state: InternalReducingState<unknown>
  readonly emit: Push
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. */
function keyedReduceInput(parts: KeyedReduceParts): Push {
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
    const input = cloneFunction(keyedReduceInput)({
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
