/** Two connected streams keyed alike: one function over both, with keyed state and timers. */
import type { Key, KeyedCoProcessFunction } from '../../api/functions.ts'
import type { StateDescriptors } from '../../api/state-descriptor.ts'
import type { OperatorContext } from '../stream-operator.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { KeyedFunctionContext } from './function-context.ts'
import { functionInputs } from './function-inputs.ts'
import { FunctionTimers } from './function-timers.ts'
import { openStates } from './open-states.ts'
import { makeCollector } from './output-collector.ts'

type AnyFunction = KeyedCoProcessFunction<Key, unknown, unknown, unknown, StateDescriptors>

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
    const inputs = functionInputs(context, collector)
    const common = { functionContext, backend }
    this.inputs = [
      inputs.keyed({ ...common, process: fn.processElement1.bind(fn), select: this.selector(0) }),
      inputs.keyed({ ...common, process: fn.processElement2.bind(fn), select: this.selector(1) }),
    ]
    return fn.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#fn.close?.()
  }
}
