/** The machine's clock, some times faster: a real server, and no waiting for back-offs. */
import { type Clock, SystemClock, type TimerHandle } from '../../../src/common/clock.ts'

export class FastClock implements Clock {
  readonly #inner = new SystemClock()
  readonly #factor: number

  constructor(factor: number) {
    this.#factor = factor
  }

  now(): number {
    return this.#inner.now()
  }

  monotonic(): number {
    return this.#inner.monotonic() * this.#factor
  }

  schedule(delayMs: number, callback: () => void): TimerHandle {
    return this.#inner.schedule(delayMs / this.#factor, callback)
  }
}
