import type { Clock, TimerHandle } from '../common/clock.ts'

interface ScheduledCall {
  readonly dueMs: number
  readonly callback: () => void
}

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs: number
  #monotonicMs = 0
  /** In the order of scheduling. */
  readonly #calls = new Set<ScheduledCall>()

  /** Begins at `startMs`, 0 if absent. */
  constructor(startMs = 0) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  schedule(delayMs: number, callback: () => void): TimerHandle {
    const call = { dueMs: this.#monotonicMs + Math.max(0, delayMs), callback }
    this.#calls.add(call)
    return { cancel: () => void this.#calls.delete(call) }
  }

  /**
   * Lets time pass. What falls due is called in the order of its time, the clock showing that time.
   */
  advance(byMs: number): void {
    const untilMs = this.#monotonicMs + byMs
    for (let call = this.#next(untilMs); call !== undefined; call = this.#next(untilMs)) {
      this.#calls.delete(call)
      this.#moveTo(Math.max(call.dueMs, this.#monotonicMs))
      call.callback()
    }
    this.#moveTo(untilMs)
  }

  /** Lets time pass until the clock shows `nowMs`. */
  advanceTo(nowMs: number): void {
    this.advance(Math.max(0, nowMs - this.#nowMs))
  }

  /** Sets the wall clock, also back, as an administrator might; no time passes. */
  setNow(nowMs: number): void {
    this.#nowMs = nowMs
  }

  /** Callbacks that are still to come. */
  get pending(): number {
    return this.#calls.size
  }

  #next(untilMs: number): ScheduledCall | undefined {
    let next: ScheduledCall | undefined
    for (const call of this.#calls) {
      if (call.dueMs <= untilMs && (next === undefined || call.dueMs < next.dueMs)) next = call
    }
    return next
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs
    this.#monotonicMs = monotonicMs
  }
}
