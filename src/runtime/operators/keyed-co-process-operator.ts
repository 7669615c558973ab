/** Two connected streams keyed alike: one function over both, with keyed state and timers. */
import type { Key, KeyedCoProcessFunction, KeySelector } from '../../api/functions.ts'
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

type AnyFunction = KeyedCoProcessFunction<Key, unknown, unknown, unknown, StateDescriptors>

interface KeyedCoProcessParts {
  readonly fn: AnyFunction
  readonly selectors: readonly [KeySelector<unknown, Key>, KeySelector<unknown, Key>]
  readonly backend: KeyedStateBackend
  readonly functionContext: KeyedFunctionContext
  readonly collector: OutputCollector
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. */
function keyedCoProcessInputs(parts: KeyedCoProcessParts): Push[] {
  const { fn, backend, functionContext, collector, metrics, errors } = parts
  const [select1, select2] = parts.selectors
  const failed = (error: unknown, value: unknown): void => {
    if (collector.emitting) throw error
    errors.handle(error, value)
  }
  return [
    (value, timestamp) => {
      metrics.recordsIn++
      collector.timestamp = timestamp
      try {
        backend.setCurrentKey(select1(value))
        fn.processElement1(value, functionContext, collector)
      } catch (error) {
        failed(error, value)
      }
    },
    (value, timestamp) => {
      metrics.recordsIn++
      collector.timestamp = timestamp
      try {
        backend.setCurrentKey(select2(value))
        fn.processElement2(value, functionContext, collector)
      } catch (error) {
        failed(error, value)
      }
    },
  ]
}

/** Two connected streams keyed alike: both sides see the same keyed state and timers. */
export class KeyedCoProcessOperator extends AbstractStreamOperator {
  readonly #fn: AnyFunction

  constructor(context: OperatorContext, fn: AnyFunction) {
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
    this.inputs = cloneFunction(keyedCoProcessInputs)({
      fn,
      selectors: [this.selector(0), this.selector(1)],
      backend,
      functionContext,
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
