/** The operator behind `process` on a stream without keys. */
import type {
  OperatorStateDescriptors,
  OperatorStatesOf,
  ProcessContext,
  ProcessFunction,
} from '../../api/functions.ts'
import type { OperatorContext } from '../stream-operator.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { FunctionContext } from './function-context.ts'
import { functionInputs } from './function-inputs.ts'
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
    const functionContext = new OperatorStateContext(context, collector, fn.operatorState)
    const process = fn.processElement.bind(fn)
    this.inputs = [functionInputs(context, collector).plain({ process, functionContext })]
    return fn.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#fn.close?.()
  }
}
