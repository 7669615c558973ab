/** The operator behind `process` on a keyed stream: keyed state and timers. */
import type { Key, KeyedProcessFunction } from '../../api/functions.ts'
import type { StateDescriptors } from '../../api/state-descriptor.ts'
import type { OperatorContext } from '../stream-operator.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { KeyedFunctionContext } from './function-context.ts'
import { functionInputs } from './function-inputs.ts'
import { FunctionTimers } from './function-timers.ts'
import { openStates } from './open-states.ts'
import { makeCollector } from './output-collector.ts'

type AnyKeyedProcessFunction = KeyedProcessFunction<Key, unknown, unknown, StateDescriptors>

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
    const input = functionInputs(context, collector).keyed({
      process: fn.processElement.bind(fn),
      functionContext,
      select: this.selector(0),
      backend,
    })
    this.inputs = [input]
    return fn.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#fn.close?.()
  }
}
