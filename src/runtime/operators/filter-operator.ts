import type { FilterFunction } from '../../api/functions.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'

interface FilterParts {
  readonly fn: FilterFunction<unknown>
  readonly emit: Push
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. */
function filterInput({ fn, emit, metrics, errors }: FilterParts): Push {
  return (value, timestamp) => {
    metrics.recordsIn++
    let kept: boolean
    try {
      kept = fn(value)
    } catch (error) {
      errors.handle(error, value)
      return
    }
    if (kept) {
      metrics.recordsOut++
      emit(value, timestamp)
    }
  }
}

/** Lets those records through that the function accepts. */
export class FilterOperator extends AbstractStreamOperator {
  readonly #fn: FilterFunction<unknown>

  constructor(context: OperatorContext, fn: FilterFunction<unknown>) {
    super(context)
    this.#fn = fn
  }

  open(): void {
    const { context } = this
    const { emit, metrics } = context
    const errors = makeErrorHandler(context)
    this.inputs = [cloneFunction(filterInput)({ fn: this.#fn, emit, metrics, errors })]
  }
}
