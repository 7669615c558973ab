import type { MapFunction } from '../../api/functions.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'

interface MapParts {
  readonly fn: MapFunction<unknown, unknown>
  readonly emit: Push
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. Errors of operators behind must not reach the policy. */
function mapInput({ fn, emit, metrics, errors }: MapParts): Push {
  return (value, timestamp) => {
    metrics.recordsIn++
    let result: unknown
    try {
      result = fn(value)
    } catch (error) {
      errors.handle(error, value)
      return
    }
    metrics.recordsOut++
    emit(result, timestamp)
  }
}

/** One result a record. */
export class MapOperator extends AbstractStreamOperator {
  readonly #fn: MapFunction<unknown, unknown>

  constructor(context: OperatorContext, fn: MapFunction<unknown, unknown>) {
    super(context)
    this.#fn = fn
  }

  open(): void {
    const { context } = this
    const { emit, metrics } = context
    const errors = makeErrorHandler(context)
    this.inputs = [cloneFunction(mapInput)({ fn: this.#fn, emit, metrics, errors })]
  }
}
