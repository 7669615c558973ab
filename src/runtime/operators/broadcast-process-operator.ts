/** A stream and a broadcast one, without keys: one function over both. */
import type {
  BroadcastProcessFunction,
  BroadcastStateDescriptors,
  BroadcastStatesOf,
} from '../../api/functions.ts'
import type { OperatorContext } from '../stream-operator.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { type BroadcastHandles, readOnlyHandles } from './broadcast-handles.ts'
import { FunctionContext } from './function-context.ts'
import { functionInputs } from './function-inputs.ts'
import { openBroadcastStates } from './open-states.ts'
import { makeCollector, type OutputCollector } from './output-collector.ts'

type Declared = BroadcastStateDescriptors
type AnyFunction = BroadcastProcessFunction<unknown, unknown, unknown, Declared>

class BroadcastContext extends FunctionContext {
  readonly broadcast: BroadcastStatesOf<Declared>

  constructor(context: OperatorContext, collector: OutputCollector, handles: BroadcastHandles) {
    super(context, collector)
    this.broadcast = handles
  }
}

/** A stream and a broadcast one; input 1 is the broadcast side, the only one that may write. */
export class BroadcastProcessOperator extends AbstractStreamOperator {
  readonly #fn: AnyFunction

  constructor(context: OperatorContext, fn: AnyFunction) {
    super(context)
    this.#fn = fn
  }

  open(): void | Promise<void> {
    const { context } = this
    const fn = this.#fn
    const collector = makeCollector(context)
    const handles = openBroadcastStates(context.operatorState, fn.broadcast)
    const inputs = functionInputs(context, collector)
    this.inputs = [
      inputs.plain({
        process: fn.processElement.bind(fn),
        functionContext: new BroadcastContext(context, collector, readOnlyHandles(handles)),
      }),
      inputs.plain({
        process: fn.processBroadcastElement.bind(fn),
        functionContext: new BroadcastContext(context, collector, handles),
      }),
    ]
    return fn.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#fn.close?.()
  }
}
