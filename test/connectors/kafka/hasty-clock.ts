import { type Clock, SystemClock, type TimerHandle } from '../../../src/common/clock.ts'

/** Time that runs faster: a minute's patience is over in a second. The calendar stays as it is. */
export class HastyClock implements Clock {
  readonly #clock = new SystemClock()
  readonly #factor: number
  /** What is scheduled, was not cancelled, and is still to come. */
  waiting = 0

  constructor(factor = 60) {
    this.#factor = factor
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic() * this.#factor
  }

  schedule(delayMs: number, callback: () => void): TimerHandle {
    let isWaiting = true
    const over = (): void => {
      if (isWaiting) this.waiting--
      isWaiting = false
    }
    this.waiting++
    const timer = this.#clock.schedule(delayMs / this.#factor, () => {
      over()
      callback()
    })
    const cancel = (): void => {
      over()
      timer.cancel()
    }
    return { cancel }
  }
}
