/** The operator behind `process` on a keyed stream: keyed state and timers. */
import type { Key, KeyedProcessFunction, KeySelector } from '../../api/functions.ts'
import type { StateDescriptors } from '../../api/state-descriptor.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { KeyedStateBackend } from '../../state/keyed-state-backend.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { KeyedFunctionContext } from './function-context.ts'
import { FunctionTimers } from './function-timers.ts'
import { openStates } from './open-states.ts'
import { makeCollector, type OutputCollector } from './output-collector.ts'

type AnyKeyedProcessFunction = KeyedProcessFunction<Key, unknown, unknown, StateDescriptors>

interface KeyedProcessParts {
  readonly fn: AnyKeyedProcessFunction
  readonly select: KeySelector<unknown, Key>
  readonly backend: KeyedStateBackend
  readonly functionContext: KeyedFunctionContext
  readonly collector: OutputCollector
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. */
function keyedProcessInput(parts: KeyedProcessParts): Push {
  const { fn, select, backend, functionContext, collector, metrics, errors } = parts
  return (value, timestamp) => {
    metrics.recordsIn++
    collector.timestamp = timestamp
    try {
      backend.setCurrentKey(select(value))
      fn.processElement(value, functionContext, collector)
    } catch (error) {
      if (collector.emitting) throw error
      errors.handle(error, value)
    }
  }
}

/** A function over keyed records, with keyed state and timers. */
export class KeyedProcessOperator extends AbstractStreamOperator {
  readonly #fn: AnyKeyedProcessFunction

  constructor(context: OperatorContext, fn: AnyKeyedProcessFunction) {
    super(context)
    this.#fn = fn
  }

  open(): void | Promise<void> {
    const { context } = this
    const fn = this.#fn
    const backend = context.keyedState()
    const collector = makeCollector(context)
    this.collector = collector
    const target = new FunctionTimers(fn, collector)
    const functionContext = new KeyedFunctionContext({
      context,
      collector,
      backend,
      timers: this.openTimers(target),
      state: openStates(backend, fn.state),
    })
    target.context = functionContext
    const input = cloneFunction(keyedProcessInput)({
      fn,
      select: this.selector(0),
      backend,
      functionContext,
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
