/** Window functions at run time: their state, and the window they are called for. */
import type { Key, OutputTag } from '../../../api/functions.ts'
import type { StateDescriptors } from '../../../api/state-descriptor.ts'
import type { ProcessWindowFunction, Window, WindowContext } from '../../../api/window.ts'
import type { KeyedStateBackend } from '../../../state/keyed-state-backend.ts'
import type { InternalTimerService } from '../../internal-timer-service.ts'
import type { OperatorContext } from '../../stream-operator.ts'
import { FunctionContext } from '../function-context.ts'
import { type KeyedHandles, openStates } from '../open-states.ts'
import type { OutputCollector } from '../output-collector.ts'

export type AnyWindowFunction = ProcessWindowFunction<
  unknown,
  unknown,
  Key,
  StateDescriptors,
  StateDescriptors
>

export interface WindowFunctionCallerParts {
  readonly fn: AnyWindowFunction
  readonly context: OperatorContext
  readonly backend: KeyedStateBackend
  readonly timers: Pick<InternalTimerService, 'watermark'>
  readonly collector: OutputCollector
}

/** Calls a process window function, being its context: one object for all windows. */
export class WindowFunctionCaller implements WindowContext<Key> {
  window: Window = { start: 0, end: 0 }
  readonly windowState: never
  readonly globalState: never
  readonly #parts: WindowFunctionCallerParts
  readonly #sideOutputs: FunctionContext
  readonly #windowHandles: KeyedHandles[string][]

  constructor(parts: WindowFunctionCallerParts) {
    this.#parts = parts
    this.#sideOutputs = new FunctionContext(parts.context, parts.collector)
    const windowHandles = openStates(parts.backend, parts.fn.windowState, 'window.')
    this.#windowHandles = Object.values(windowHandles)
    this.windowState = windowHandles as never
    this.globalState = openStates(parts.backend, parts.fn.globalState, 'global.') as never
  }

  get key(): Key {
    return this.#parts.backend.currentKey()
  }

  get watermark(): number {
    return this.#parts.timers.watermark
  }

  get processingTime(): number {
    return this.#parts.context.processingTime()
  }

  output<T>(tag: OutputTag<T>, value: T): void {
    this.#sideOutputs.output(tag, value)
  }

  /** Results carry the window's greatest timestamp. */
  process(window: Window, namespace: number, elements: readonly unknown[]): void {
    const { fn, collector, backend } = this.#parts
    this.#bind(window, namespace)
    collector.timestamp = window.end - 1
    fn.process(backend.currentKey(), elements, this, collector)
  }

  /** The window is over: its own state goes. */
  clear(window: Window, namespace: number): void {
    const { fn, collector } = this.#parts
    if (fn.clear === undefined && this.#windowHandles.length === 0) return
    this.#bind(window, namespace)
    collector.timestamp = window.end - 1
    fn.clear?.(this)
    for (const handle of this.#windowHandles) handle.clear()
  }

  #bind(window: Window, namespace: number): void {
    this.window = window
    for (const handle of this.#windowHandles) handle.setNamespace(namespace)
  }
}
