/** A keyed stream and a broadcast one: one function over both, with keyed state and timers. */
import type {
  BroadcastStateDescriptors,
  Key,
  KeyedBroadcastProcessFunction,
} from '../../api/functions.ts'
import type { StateDescriptors } from '../../api/state-descriptor.ts'
import { assertDefined } from '../../common/assert.ts'
import type { KeyedStateBackend } from '../../state/keyed-state-backend.ts'
import type { OperatorContext } from '../stream-operator.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { type BroadcastHandles, readOnlyHandles } from './broadcast-handles.ts'
import {
  FunctionContext,
  type KeyedContextParts,
  KeyedFunctionContext,
} from './function-context.ts'
import { functionInputs } from './function-inputs.ts'
import { FunctionTimers } from './function-timers.ts'
import { type KeyedHandles, openBroadcastStates, openStates } from './open-states.ts'
import { makeCollector, type OutputCollector } from './output-collector.ts'

type AnyFunction = KeyedBroadcastProcessFunction<
  Key,
  unknown,
  unknown,
  unknown,
  BroadcastStateDescriptors,
  StateDescriptors
>

/** For the keyed side and its timers: broadcast state is read only. */
class KeyedSideContext extends KeyedFunctionContext {
  readonly broadcast: BroadcastHandles

  constructor(parts: KeyedContextParts, handles: BroadcastHandles) {
    super(parts)
    this.broadcast = readOnlyHandles(handles)
  }
}

interface BroadcastSideParts {
  readonly context: OperatorContext
  readonly collector: OutputCollector
  readonly backend: KeyedStateBackend
  readonly broadcast: BroadcastHandles
  readonly keyed: KeyedHandles
}

/** For the broadcast side: it has no key, but may visit the state of all keys of this subtask. */
class BroadcastSideContext extends FunctionContext {
  readonly broadcast: BroadcastHandles
  readonly #backend: KeyedStateBackend
  readonly #keyed: KeyedHandles

  constructor(parts: BroadcastSideParts) {
    super(parts.context, parts.collector)
    this.broadcast = parts.broadcast
    this.#backend = parts.backend
    this.#keyed = parts.keyed
  }

  applyToKeyedState(name: string | number | symbol, visit: (key: Key, state: never) => void): void {
    const text = String(name)
    const handle = assertDefined(this.#keyed[text], `keyed state ${text} is declared`)
    handle.forEachKey(0, () => visit(this.#backend.currentKey(), handle as never))
  }
}

/** A keyed stream and a broadcast one (input 1). */
export class KeyedBroadcastProcessOperator extends AbstractStreamOperator {
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
    const keyed = openStates(backend, fn.state)
    const broadcast = openBroadcastStates(context.operatorState, fn.broadcast)
    const target = new FunctionTimers(fn as never, collector)
    const timers = this.openTimers(target)
    const keyedContext = new KeyedSideContext(
      { context, collector, backend, timers, state: keyed },
      broadcast,
    )
    target.context = keyedContext
    const inputs = functionInputs(context, collector)
    this.inputs = [
      inputs.keyed({
        process: fn.processElement.bind(fn),
        functionContext: keyedContext,
        select: this.selector(0),
        backend,
      }),
      inputs.plain({
        process: fn.processBroadcastElement.bind(fn),
        functionContext: new BroadcastSideContext({
          context,
          collector,
          backend,
          broadcast,
          keyed,
        }),
      }),
    ]
    return fn.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#fn.close?.()
  }
}
