/** A stream and a broadcast one, without keys: one function over both. */
import type {
  BroadcastProcessFunction,
  BroadcastStateDescriptors,
  BroadcastStatesOf,
} from '../../api/functions.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { type BroadcastHandles, readOnlyHandles } from './broadcast-handles.ts'
import { FunctionContext } from './function-context.ts'
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

interface BroadcastParts {
  readonly fn: AnyFunction
  readonly readContext: BroadcastContext
  readonly writeContext: BroadcastContext
  readonly collector: OutputCollector
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. */
function broadcastInputs(parts: BroadcastParts): Push[] {
  const { fn, readContext, writeContext, collector, metrics, errors } = parts
  const failed = (error: unknown, value: unknown): void => {
    if (collector.emitting) throw error
    errors.handle(error, value)
  }
  return [
    (value, timestamp) => {
      metrics.recordsIn++
      collector.timestamp = timestamp
      try {
        fn.processElement(value, readContext, collector)
      } catch (error) {
        failed(error, value)
      }
    },
    (value, timestamp) => {
      metrics.recordsIn++
      collector.timestamp = timestamp
      try {
        fn.processBroadcastElement(value, writeContext, collector)
      } catch (error) {
        failed(error, value)
      }
    },
  ]
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
    this.inputs = cloneFunction(broadcastInputs)({
      fn,
      readContext: new BroadcastContext(context, collector, readOnlyHandles(handles)),
      writeContext: new BroadcastContext(context, collector, handles),
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
