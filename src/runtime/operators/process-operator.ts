/** The operator behind `process` on a stream without keys. */
import type {
  OperatorStateDescriptors,
  OperatorStatesOf,
  ProcessContext,
  ProcessFunction,
} from '../../api/functions.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { FunctionContext } from './function-context.ts'
import { openOperatorStates } from './open-states.ts'
import { makeCollector, type OutputCollector } from './output-collector.ts'

type Declared = OperatorStateDescriptors
type AnyProcessFunction = ProcessFunction<unknown, unknown, Declared>

/** Adds operator state to what every function sees. */
export class OperatorStateContext extends FunctionContext implements ProcessContext<Declared> {
  readonly operatorState: OperatorStatesOf<Declared>

  constructor(
    context: OperatorContext,
    collector: OutputCollector,
    declared: Declared | undefined,
  ) {
    super(context, collector)
    this.operatorState = openOperatorStates(context.operatorState, declared)
  }
}

interface ProcessParts {
  readonly fn: AnyProcessFunction
  readonly functionContext: OperatorStateContext
  readonly collector: OutputCollector
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. */
function processInput({ fn, functionContext, collector, metrics, errors }: ProcessParts): Push {
  return (value, timestamp) => {
    metrics.recordsIn++
    collector.timestamp = timestamp
    try {
      fn.processElement(value, functionContext, collector)
    } catch (error) {
      if (collector.emitting) throw error
      errors.handle(error, value)
    }
  }
}

/** A function over single records, with side outputs and operator state. */
export class ProcessOperator extends AbstractStreamOperator {
  readonly #fn: AnyProcessFunction

  constructor(context: OperatorContext, fn: AnyProcessFunction) {
    super(context)
    this.#fn = fn
  }

  open(): void | Promise<void> {
    const { context } = this
    const fn = this.#fn
    const collector = makeCollector(context)
    const input = cloneFunction(processInput)({
      fn,
      functionContext: new OperatorStateContext(context, collector, fn.operatorState),
      collector,
      metrics: context.metrics,
      errors: makeErrorHandler(context),
    })
    this.inputs = [input]
    return fn.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#fn.close?.()
  }
}
