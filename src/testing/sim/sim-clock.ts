/** The clock of one simulated process: set wrong, and running a little fast or slow. */
import type { Clock, TimerHandle } from '../../common/clock.ts'
import type { Scheduler, SimProcess } from './scheduler.ts'

const EPOCH_MS = 1_750_000_000_000
const JUMP_MS = 3_600_000

export interface ClockFaults {
  /** How far a wall clock is off at most, either way. */
  readonly skewMs: number
  /** How much faster or slower it runs at most: 0.1 is a tenth. */
  readonly drift: number
}

export class SimClock implements Clock {
  readonly #scheduler: Scheduler
  readonly #process: SimProcess
  #offsetMs: number
  readonly #startMs: number
  readonly #rate: number

  constructor(scheduler: Scheduler, process: SimProcess, { skewMs, drift }: ClockFaults) {
    this.#scheduler = scheduler
    this.#process = process
    this.#offsetMs = scheduler.between(-skewMs, 2 * skewMs)
    this.#startMs = scheduler.between(0, skewMs)
    this.#rate = scheduler.between(1 - drift, 2 * drift)
  }

  now(): number {
    return Math.floor(EPOCH_MS + this.#offsetMs + this.#scheduler.nowMs * this.#rate)
  }

  /** Somebody sets the wall clock, forward or back. */
  jump(): void {
    this.#offsetMs += this.#scheduler.between(-JUMP_MS, 2 * JUMP_MS)
  }

  monotonic(): number {
    return this.#startMs + this.#scheduler.nowMs * this.#rate
  }

  schedule(delayMs: number, callback: () => void): TimerHandle {
    // A hair late, so that a timer never rings before its own clock says so.
    const step = this.#scheduler.after(delayMs / this.#rate + 1e-6, this.#process, callback)
    return {
      cancel: () => {
        step.cancelled = true
      },
    }
  }
}
