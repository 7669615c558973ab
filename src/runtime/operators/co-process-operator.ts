/** Two connected streams without keys: one function over both. */
import type { CoProcessFunction, OperatorStateDescriptors } from '../../api/functions.ts'
import type { OperatorContext } from '../stream-operator.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { functionInputs } from './function-inputs.ts'
import { makeCollector } from './output-collector.ts'
import { OperatorStateContext } from './process-operator.ts'

type AnyCoProcessFunction = CoProcessFunction<unknown, unknown, unknown, OperatorStateDescriptors>

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
    const functionContext = new OperatorStateContext(context, collector, fn.operatorState)
    const inputs = functionInputs(context, collector)
    this.inputs = [
      inputs.plain({ process: fn.processElement1.bind(fn), functionContext }),
      inputs.plain({ process: fn.processElement2.bind(fn), functionContext }),
    ]
    return fn.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#fn.close?.()
  }
}
