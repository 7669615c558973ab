/** One timer that can be set again, and that a signal takes away. */
import type { Clock, TimerHandle } from '../../common/clock.ts'

export class Alarm {
  readonly #clock: Clock
  readonly #signal: AbortSignal | undefined
  #timer: TimerHandle | undefined

  constructor(clock: Clock, signal?: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
  }

  /** Calls back after so long, in place of what was set before. */
  set(delayMs: number, callback: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.schedule(delayMs, callback)
  }

  clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Comes back after so long, or at once when the signal is or gets aborted. */
  sleep(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        this.clear()
        this.#signal?.removeEventListener('abort', wake)
        resolve()
      }
      if (this.#signal?.aborted === true) return wake()
      this.#signal?.addEventListener('abort', wake, { once: true })
      this.set(delayMs, wake)
    })
  }
}
