/**
 * The timers of one operator subtask: two queues, event and processing time, over keyed state.
 *
 * Owns        the order of firing, and stopping between two timers when the outputs are full.
 * Leaves out  how timers are stored and snapshotted (the backend's queues), and the clock.
 *
 * Invariants
 *  I1  A timer is removed before its callback runs, and its key is the backend's current one then.
 *  I2  `watermark` shows the new watermark to every timer that it lets fire.
 *  I3  A timer registered at or below the watermark fires in the running advance, or, outside of
 *      one, at the next watermark: never at once. Processing time likewise, with the task's next
 *      turn.
 *  I4  At the end of all input processing time ends: what is left would fire after a restore only.
 */
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts'
import type { TimerQueue } from '../state/timer-queue.ts'

/** Takes the timers that fire. The key is set; the namespace is the one it was registered with. */
export interface TimerTarget {
  onEventTime(namespace: number, timestamp: number): void
  onProcessingTime(namespace: number, timestamp: number): void
}

export interface TimerServiceOptions {
  readonly backend: KeyedStateBackend
  readonly target: TimerTarget
  /** Asked after each timer: true stops the burst. */
  readonly outputFull: () => boolean
}

export class InternalTimerService {
  readonly #events: TimerQueue
  readonly #processing: TimerQueue
  readonly #target: TimerTarget
  readonly #outputFull: () => boolean
  /** The operator's watermark: `MIN_TIMESTAMP` until the first one, also after a restore. */
  watermark = MIN_TIMESTAMP

  constructor(options: TimerServiceOptions) {
    this.#events = options.backend.timerQueue('$timers.event')
    this.#processing = options.backend.timerQueue('$timers.processing')
    this.#target = options.target
    this.#outputFull = options.outputFull
  }

  registerEventTime(namespace: number, timestamp: number): void {
    this.#events.add(namespace, timestamp)
  }

  registerProcessingTime(namespace: number, timestamp: number): void {
    this.#processing.add(namespace, timestamp)
  }

  deleteEventTime(namespace: number, timestamp: number): void {
    this.#events.remove(namespace, timestamp)
  }

  deleteProcessingTime(namespace: number, timestamp: number): void {
    this.#processing.remove(namespace, timestamp)
  }

  /** Fires event timers up to `limit`. False when it stopped early: call again to go on. */
  fireEventTime(limit: number): boolean {
    const queue = this.#events
    while (queue.poll(limit)) {
      this.#target.onEventTime(queue.polledNamespace, queue.polledTimestamp)
      if (this.#outputFull() && queue.nextTimestamp() <= limit) return false
    }
    return true
  }

  /** Fires processing timers up to `now`. False when it stopped early: call again to go on. */
  fireProcessingTime(now: number): boolean {
    const queue = this.#processing
    while (queue.poll(now)) {
      this.#target.onProcessingTime(queue.polledNamespace, queue.polledTimestamp)
      if (this.#outputFull() && queue.nextTimestamp() <= now) return false
    }
    return true
  }

  /** I4. */
  endProcessingTime(): void {
    const queue = this.#processing
    while (queue.size > 0) queue.poll(MAX_TIMESTAMP)
  }

  /** The earliest timers, `MAX_TIMESTAMP` when there is none. */
  nextEventTime(): number {
    return this.#events.nextTimestamp()
  }

  nextProcessingTime(): number {
    return this.#processing.size === 0 ? MAX_TIMESTAMP : this.#processing.nextTimestamp()
  }
}
