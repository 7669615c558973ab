/** Two connected streams without keys: one function over both. */
import type { CoProcessFunction, OperatorStateDescriptors } from '../../api/functions.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { makeCollector, type OutputCollector } from './output-collector.ts'
import { OperatorStateContext } from './process-operator.ts'

type AnyCoProcessFunction = CoProcessFunction<unknown, unknown, unknown, OperatorStateDescriptors>

interface CoProcessParts {
  readonly fn: AnyCoProcessFunction
  readonly functionContext: OperatorStateContext
  readonly collector: OutputCollector
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. */
function coProcessInputs(parts: CoProcessParts): Push[] {
  const { fn, functionContext, collector, metrics, errors } = parts
  const failed = (error: unknown, value: unknown): void => {
    if (collector.emitting) throw error
    errors.handle(error, value)
  }
  return [
    (value, timestamp) => {
      metrics.recordsIn++
      collector.timestamp = timestamp
      try {
        fn.processElement1(value, functionContext, collector)
      } catch (error) {
        failed(error, value)
      }
    },
    (value, timestamp) => {
      metrics.recordsIn++
      collector.timestamp = timestamp
      try {
        fn.processElement2(value, functionContext, collector)
      } catch (error) {
        failed(error, value)
      }
    },
  ]
}

/** Two connected streams without keys. */
export class CoProcessOperator extends AbstractStreamOperator {
  readonly #fn: AnyCoProcessFunction

  constructor(context: OperatorContext, fn: AnyCoProcessFunction) {
    super(context)
    this.#fn = fn
  }

  open(): void | Promise<void> {
    const { context } = this
    const fn = this.#fn
    const collector = makeCollector(context)
    this.inputs = cloneFunction(coProcessInputs)({
      fn,
      functionContext: new OperatorStateContext(context, collector, fn.operatorState),
      collector,
      metrics: context.metrics,
      errors: makeErrorHandler(context),
    })
    return fn.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#fn.close?.()
  }
}
