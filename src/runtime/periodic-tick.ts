/**
 * When the next of regular ticks is due, in processing time. The machine's clock may be set back:
 * ticks then go on from there, while the timers of user functions wait for the time they asked for.
 */
import type { Clock } from '../common/clock.ts'

export class PeriodicTick {
  readonly #clock: Clock
  readonly #intervalMs: number
  #nextMs: number

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#nextMs = clock.now() + intervalMs
  }

  /** Never more than an interval from now. */
  get nextMs(): number {
    const latestMs = this.#clock.now() + this.#intervalMs
    if (this.#nextMs > latestMs) this.#nextMs = latestMs
    return this.#nextMs
  }

  /** True when a tick is due at `now`; then the next is an interval later. */
  take(now: number): boolean {
    if (now < this.nextMs) return false
    this.#nextMs = now + this.#intervalMs
    return true
  }
}
