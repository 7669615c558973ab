/**
 * Holds back requests beyond a rate: so many a second, and so many at once after a rest. A server
 * that asks for patience empties it for a while.
 */
import type { Clock } from '../../common/clock.ts'

export interface BucketOptions {
  readonly perSecond: number
  readonly burst: number
}

export class TokenBucket {
  readonly #options: BucketOptions
  readonly #clock: Clock
  readonly #waiting: (() => void)[] = []
  #tokens: number
  #filledMs: number
  #closedUntilMs = Number.NEGATIVE_INFINITY
  #isTimerSet = false

  constructor(options: BucketOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#tokens = options.burst
    this.#filledMs = clock.monotonic()
  }

  /** Comes back when the caller may send, in the order of the calls. */
  take(): Promise<void> {
    if (this.#waiting.length === 0 && this.#delayMs() === 0) {
      this.#tokens--
      return Promise.resolve()
    }
    return new Promise(resolve => {
      this.#waiting.push(resolve)
      this.#wakeLater()
    })
  }

  /** Nobody may send for so long. */
  closeFor(delayMs: number): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, this.#clock.monotonic() + delayMs)
  }

  #delayMs(): number {
    const nowMs = this.#clock.monotonic()
    const { perSecond, burst } = this.#options
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledMs) * perSecond) / 1_000)
    this.#filledMs = nowMs
    const closedMs = Math.max(0, this.#closedUntilMs - nowMs)
    const emptyMs = this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1_000) / perSecond)
    return Math.max(closedMs, emptyMs)
  }

  #wakeLater(): void {
    if (this.#isTimerSet) return
    this.#isTimerSet = true
    this.#clock.schedule(Math.max(1, this.#delayMs()), () => {
      this.#isTimerSet = false
      while (this.#waiting.length > 0 && this.#delayMs() === 0) {
        this.#tokens--
        this.#waiting.shift()?.()
      }
      if (this.#waiting.length > 0) this.#wakeLater()
    })
  }
}
