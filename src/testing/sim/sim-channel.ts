/**
 * A connection between two simulated processes: first in, first out, each message after a delay of
 * its own. Messages on different channels overtake each other.
 */
import type { Scheduler, SimProcess } from './scheduler.ts'

const BETWEEN_MS = 1e-6

export interface SimChannelOptions<T> {
  readonly scheduler: Scheduler
  readonly from: SimProcess
  /** Asked at each message: who is there now. */
  readonly to: () => SimProcess
  readonly delayMs: number
  /** Off: messages overtake each other. */
  readonly ordered: boolean
  readonly deliver: (message: T) => void
  /** Nothing arrives before; 0 unless told. */
  readonly opensAtMs?: number
}

export class SimChannel<T> {
  readonly #options: SimChannelOptions<T>
  #lastMs = 0
  #closed = false

  constructor(options: SimChannelOptions<T>) {
    this.#options = options
    this.#lastMs = options.opensAtMs ?? 0
  }

  send(message: T): void {
    const { scheduler, from, to, delayMs, ordered, deliver } = this.#options
    if (this.#closed || from.state === 'dead') return
    const wantedMs = scheduler.nowMs + scheduler.between(0.05, delayMs)
    // Never at the same time: what a sum of fractions rounds to must not decide the order.
    const atMs = ordered ? Math.max(this.#lastMs + BETWEEN_MS, wantedMs) : wantedMs
    this.#lastMs = atMs
    scheduler.after(atMs - scheduler.nowMs, to(), () => {
      if (!this.#closed) deliver(message)
    })
  }

  /** What is under way is lost. */
  close(): void {
    this.#closed = true
  }
}
