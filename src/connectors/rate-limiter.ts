/**
 * Holds a reader to a number of records a second. It reads the clock once a call, so callers ask
 * for a batch. Time lost to backpressure is caught up, but at most one second of it: a source that
 * stood still for an hour must not then run unbridled for minutes.
 */
import { assert } from '../common/assert.ts'
import type { Clock } from '../common/clock.ts'

const CATCH_UP_MS = 1_000

export class RateLimiter {
  readonly #clock: Clock
  readonly #msPerRecord: number
  /** When the next record is due, on the monotonic clock. */
  #dueMs: number

  constructor(clock: Clock, recordsPerSecond: number) {
    assert(recordsPerSecond > 0, `${recordsPerSecond} records a second is a positive rate`)
    this.#clock = clock
    this.#msPerRecord = 1_000 / recordsPerSecond
    this.#dueMs = clock.monotonic()
  }

  /** How many records may go now, at most `wanted`. They count as gone. */
  take(wanted: number): number {
    const nowMs = this.#clock.monotonic()
    this.#dueMs = Math.max(this.#dueMs, nowMs - CATCH_UP_MS)
    if (this.#dueMs > nowMs) return 0
    const due = Math.floor((nowMs - this.#dueMs) / this.#msPerRecord) + 1
    const taken = Math.min(wanted, due)
    this.#dueMs += taken * this.#msPerRecord
    return taken
  }

  /** Gives back what was taken but not emitted. */
  giveBack(count: number): void {
    this.#dueMs -= count * this.#msPerRecord
  }

  /** Milliseconds until `take` gives something, rounded up; 0 when it does now. */
  delayMs(): number {
    return Math.max(0, Math.ceil(this.#dueMs - this.#clock.monotonic()))
  }
}
