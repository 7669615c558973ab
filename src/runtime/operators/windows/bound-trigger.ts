/** Triggers at run time: their state, their timers, and the window they are asked about. */
import type { OnMergeContext, Trigger, TriggerResult, Window } from '../../../api/window.ts'
import { assert, assertDefined } from '../../../common/assert.ts'
import type { KeyedStateBackend, Mergeable } from '../../../state/keyed-state-backend.ts'
import type { InternalTimerService } from '../../internal-timer-service.ts'
import type { OperatorContext } from '../../stream-operator.ts'
import { type KeyedHandles, openStates } from '../open-states.ts'

export interface BoundTriggerParts {
  readonly trigger: Trigger<unknown>
  readonly context: OperatorContext
  readonly backend: KeyedStateBackend
  readonly timers: InternalTimerService
}

const noWindow: Window = { start: 0, end: 0 }

/**
 * A trigger with its state and timers, asked about one key and window at a time: `bind` says which.
 */
export class BoundTrigger implements OnMergeContext {
  window = noWindow
  readonly state: never
  readonly #trigger: Trigger<unknown>
  readonly #context: OperatorContext
  readonly #timers: InternalTimerService
  readonly #handles: KeyedHandles
  readonly #handleList: KeyedHandles[string][]
  #namespace = 0
  #members: readonly number[] = []

  constructor({ trigger, context, backend, timers }: BoundTriggerParts) {
    this.#trigger = trigger
    this.#context = context
    this.#timers = timers
    this.#handles = openStates(backend, trigger.state, '$trigger.')
    this.#handleList = Object.values(this.#handles)
    // The trigger declared these very states.
    this.state = this.#handles as never
  }

  /** Chooses the window of the current key that the next calls are about. */
  bind(window: Window, namespace: number): void {
    this.window = window
    this.#namespace = namespace
    for (const handle of this.#handleList) handle.setNamespace(namespace)
  }

  onElement(value: unknown, timestamp: number): TriggerResult {
    return this.#trigger.onElement(value, timestamp, this)
  }

  onEventTime(time: number): TriggerResult {
    return this.#trigger.onEventTime(time, this)
  }

  onProcessingTime(time: number): TriggerResult {
    return this.#trigger.onProcessingTime(time, this)
  }

  /** The bound window was made of those under the `members` namespaces. */
  onMerge(members: readonly number[]): void {
    const { name, onMerge } = this.#trigger
    assertDefined(onMerge, `trigger ${name} can merge`)
    this.#members = members
    this.#trigger.onMerge?.(this)
  }

  clear(): void {
    this.#trigger.clear(this)
  }

  get watermark(): number {
    return this.#timers.watermark
  }

  get processingTime(): number {
    return this.#context.processingTime()
  }

  mergeState(name: string): void {
    const handle = assertDefined(this.#handles[name], `trigger state ${name} is declared`)
    assert('mergeNamespaces' in handle, `trigger state ${name} is of a kind that merges`)
    ;(handle as Mergeable).mergeNamespaces(this.#namespace, this.#members)
  }

  registerEventTimeTimer(timestamp: number): void {
    this.#timers.registerEventTime(this.#namespace, timestamp)
  }

  registerProcessingTimeTimer(timestamp: number): void {
    this.#timers.registerProcessingTime(this.#namespace, timestamp)
  }

  deleteEventTimeTimer(timestamp: number): void {
    this.#timers.deleteEventTime(this.#namespace, timestamp)
  }

  deleteProcessingTimeTimer(timestamp: number): void {
    this.#timers.deleteProcessingTime(this.#namespace, timestamp)
  }
}
