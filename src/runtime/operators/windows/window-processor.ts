/**
 * The rules of windows for any assigner, trigger and contents.
 *
 * Owns        lateness, the order assign - merge - add - ask the trigger - clean up.
 * Leaves out  what the contents are (`window-contents.ts`), how windows are numbered
 *             (`window-space.ts`, `merging-windows.ts`), when to fire (the trigger).
 *
 * Invariants
 *  W1  A window whose cleanup time is at or below the watermark takes no element.
 *  W2  A window has a cleanup timer from its first element on; it removes all that the window
 *      keeps.
 *  W3  The trigger is asked about a cleanup timer before the window goes.
 */
import type { WindowSpec } from '../../../api/transformation.ts'
import type { TriggerResult, Window } from '../../../api/window.ts'
import { assert } from '../../../common/assert.ts'
import { MAX_TIMESTAMP } from '../../../common/timestamps.ts'
import type { KeyedStateBackend } from '../../../state/keyed-state-backend.ts'
import type { InternalTimerService, TimerTarget } from '../../internal-timer-service.ts'
import type { OperatorContext, Push } from '../../stream-operator.ts'
import { BoundTrigger } from './bound-trigger.ts'
import { makeLateOutput } from './late-output.ts'
import { type Merge, MergingWindows, type Session } from './merging-windows.ts'
import type { WindowBody } from './window-body.ts'
import { makeWindowSpace, type WindowSpace } from './window-space.ts'

export interface WindowProcessorParts {
  readonly window: WindowSpec
  readonly body: WindowBody
  readonly context: OperatorContext
  readonly backend: KeyedStateBackend
  readonly timers: InternalTimerService
}

/** Where the parts of one window of the current key are in state. */
interface Place {
  readonly window: Window
  /** The namespace of trigger state, timers and the function's window state. */
  readonly id: number
  /** The namespace of the contents; differs from `id` where windows merge. */
  readonly contents: number
  readonly session: Session | undefined
}

export class WindowProcessor implements TimerTarget {
  readonly #spec: WindowSpec
  readonly #body: WindowBody
  readonly #context: OperatorContext
  readonly #timers: InternalTimerService
  readonly #trigger: BoundTrigger
  readonly #late: Push
  readonly #space: WindowSpace
  readonly #merging: MergingWindows | undefined
  readonly #isEventTime: boolean

  constructor(parts: WindowProcessorParts) {
    const { window, context, backend, timers } = parts
    const { assigner } = window
    const trigger = window.trigger ?? assigner.defaultTrigger()
    assert(!assigner.merging || trigger.canMerge, `${trigger.name} works on merging windows`)
    this.#spec = window
    this.#body = parts.body
    this.#context = context
    this.#timers = timers
    this.#trigger = new BoundTrigger({ trigger, context, backend, timers })
    this.#late = makeLateOutput(context, window.lateTag)
    this.#space = makeWindowSpace(assigner.shape, backend)
    this.#merging = assigner.merging ? new MergingWindows(backend) : undefined
    this.#isEventTime = assigner.timeDomain === 'event' && assigner.shape.kind !== 'global'
  }

  processElement(value: unknown, timestamp: number, input: number): void {
    const { assigner, allowedLatenessMs } = this.#spec
    const isEventTime = assigner.timeDomain === 'event'
    const time = isEventTime ? timestamp : this.#context.processingTime()
    let taken = false
    for (const window of assigner.assign(value, time)) {
      const place = this.#place(window)
      if (place === undefined) continue
      taken = true
      try {
        this.#body.contents.setNamespace(place.contents)
        this.#body.contents.add(value, timestamp, input)
        this.#trigger.bind(place.window, place.id)
        this.#act(this.#trigger.onElement(value, timestamp), place)
      } finally {
        // Last, since triggers delete timers of the same time; and also when the record is refused,
        // since the window is there (W2).
        this.#registerCleanup(place)
      }
    }
    // An element between windows (slide above size) is late only once the watermark has passed it.
    const isLate = this.#isEventTime && timestamp + allowedLatenessMs <= this.#timers.watermark
    if (!taken && isLate) this.#late(value, timestamp)
  }

  onEventTime(namespace: number, timestamp: number): void {
    const place = this.#bind(namespace)
    if (place === undefined) return
    this.#act(this.#trigger.onEventTime(timestamp), place)
    if (this.#isEventTime && timestamp === this.#cleanupTime(place.window)) this.#release(place)
  }

  onProcessingTime(namespace: number, timestamp: number): void {
    const place = this.#bind(namespace)
    if (place === undefined) return
    this.#act(this.#trigger.onProcessingTime(timestamp), place)
    if (!this.#isEventTime && timestamp === this.#cleanupTime(place.window)) this.#release(place)
  }

  /** Finds the window of a timer and makes it the one that contents and trigger work on. */
  #bind(namespace: number): Place | undefined {
    const place = this.#find(namespace)
    if (place === undefined) return undefined
    this.#body.contents.setNamespace(place.contents)
    this.#trigger.bind(place.window, place.id)
    return place
  }

  #find(namespace: number): Place | undefined {
    if (this.#merging === undefined) {
      const window = this.#space.windowOf(namespace)
      return window && { window, id: namespace, contents: namespace, session: undefined }
    }
    const session = this.#merging.find(namespace)
    return session && placeOf(session)
  }

  #act(result: TriggerResult, { window, id }: Place): void {
    if (result === 'fire' || result === 'fire-and-purge') this.#body.contents.fire(window, id)
    if (result === 'purge' || result === 'fire-and-purge') this.#body.contents.clear()
  }

  /** Where an element of this window goes; `undefined` when the window is late (W1). */
  #place(window: Window): Place | undefined {
    if (this.#merging !== undefined) return this.#merge(this.#merging, window)
    if (this.#isLate(window)) return undefined
    const namespace = this.#space.namespaceOf(window)
    return { window, id: namespace, contents: namespace, session: undefined }
  }

  /** A merge that ends at or below the watermark is late like any window: Flink fails there. */
  #merge(merging: MergingWindows, window: Window): Place | undefined {
    const merge = merging.plan(window)
    if (this.#isLate(merge.result)) return undefined
    if (merge.members.length > 0) this.#absorb(merge)
    merging.apply(merge)
    return placeOf(merge.result)
  }

  #absorb({ result, members }: Merge): void {
    this.#trigger.bind(result, result.id)
    this.#trigger.onMerge(members.map(member => member.id))
    for (const member of members) {
      this.#trigger.bind(member, member.id)
      this.#trigger.clear()
      this.#deleteCleanup(placeOf(member))
    }
    const moved = members.map(member => member.contents).filter(one => one !== result.contents)
    if (moved.length > 0) this.#body.contents.merge(result.contents, moved)
  }

  #isLate(window: Window): boolean {
    return this.#isEventTime && this.#cleanupTime(window) <= this.#timers.watermark
  }

  /** The window's last moment; `MAX_TIMESTAMP` for one that never ends. */
  #cleanupTime(window: Window): number {
    const last = window.end - 1
    return this.#isEventTime ? last + this.#spec.allowedLatenessMs : last
  }

  #registerCleanup({ window, id }: Place): void {
    const time = this.#cleanupTime(window)
    if (time === MAX_TIMESTAMP) return
    if (this.#isEventTime) this.#timers.registerEventTime(id, time)
    else this.#timers.registerProcessingTime(id, time)
  }

  #deleteCleanup({ window, id }: Place): void {
    const time = this.#cleanupTime(window)
    if (this.#isEventTime) this.#timers.deleteEventTime(id, time)
    else this.#timers.deleteProcessingTime(id, time)
  }

  #release({ window, id, session }: Place): void {
    this.#body.contents.clear()
    this.#trigger.clear()
    this.#body.release(window, id)
    if (session === undefined) this.#space.release(id)
    else this.#merging?.retire(session)
  }
}

function placeOf(session: Session): Place {
  return { window: session, id: session.id, contents: session.contents, session }
}
