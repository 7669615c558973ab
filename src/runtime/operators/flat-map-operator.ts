import type { FlatMapFunction } from '../../api/functions.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { makeCollector, type OutputCollector } from './output-collector.ts'

interface FlatMapParts {
  readonly fn: FlatMapFunction<unknown, unknown>
  readonly collector: OutputCollector
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. */
function flatMapInput({ fn, collector, metrics, errors }: FlatMapParts): Push {
  return (value, timestamp) => {
    metrics.recordsIn++
    collector.timestamp = timestamp
    try {
      const results = fn(value, collector)
      if (results === undefined) return
      // The index loop spares arrays the iterator.
      if (Array.isArray(results)) {
        for (let i = 0; i < results.length; i++) collector.collect(results[i])
      } else {
        for (const result of results) collector.collect(result)
      }
    } catch (error) {
      if (collector.emitting) throw error
      errors.handle(error, value)
    }
  }
}

/** Any number of results a record, collected or returned. */
export class FlatMapOperator extends AbstractStreamOperator {
  readonly #fn: FlatMapFunction<unknown, unknown>

  constructor(context: OperatorContext, fn: FlatMapFunction<unknown, unknown>) {
    super(context)
    this.#fn = fn
  }

  open(): void {
    const { context } = this
    const input = cloneFunction(flatMapInput)({
      fn: this.#fn,
      collector: makeCollector(context),
      metrics: context.metrics,
      errors: makeErrorHandler(context),
    })
    this.inputs = [input]
  }
}
