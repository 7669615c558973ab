/**
 * The time of the API server, by which all controllers and objects are judged: times in statuses
 * are compared with those of other replicas and of the server, never with what a machine believes.
 *
 * K1  Durations are this machine's: {@link monotonic} and {@link schedule} know of no server.
 * K2  A machine that is right is left alone: the server's `Date` counts in seconds.
 */
import type { Clock, TimerHandle } from '../../common/clock.ts'

export interface DatedAnswer {
  /** The `Date` of its header, in whole seconds; `undefined`: it had none, or never came. */
  readonly date: string | undefined
  /** Between its request and its arrival. */
  readonly seconds: number
}

/** A second for the header, and one for a busy machine. */
const TOLERANCE_MS = 2_000
const HEADER_MS = 1_000

export class ServerClock implements Clock {
  readonly #own: Clock
  readonly #onSkew: (skewMs: number) => void
  #offsetMs = 0

  /** `onSkew` is told of each new difference that is corrected from then on. */
  constructor(own: Clock, onSkew: (skewMs: number) => void) {
    this.#own = own
    this.#onSkew = onSkew
  }

  /** How far this machine is ahead of the server; 0: as good as right. */
  get skewMs(): number {
    return this.#offsetMs === 0 ? 0 : -this.#offsetMs
  }

  now(): number {
    return this.#own.now() + this.#offsetMs
  }

  monotonic(): number {
    return this.#own.monotonic()
  }

  schedule(delayMs: number, callback: () => void): TimerHandle {
    return this.#own.schedule(delayMs, callback)
  }

  /** Has just arrived. */
  heard({ date, seconds }: DatedAnswer): void {
    const earliestMs = Date.parse(date ?? '')
    if (!Number.isFinite(earliestMs)) return
    const latestMs = earliestMs + HEADER_MS
    const arrivedMs = this.#own.now()
    const sentMs = arrivedMs - seconds * 1_000
    // The server wrote it between the two; what of this machine's time fits is no skew.
    if (isNear(this.#offsetMs, { earliestMs, latestMs, sentMs, arrivedMs })) return
    const middleMs = (earliestMs + latestMs) / 2 - (sentMs + arrivedMs) / 2
    this.#offsetMs = Math.abs(middleMs) <= TOLERANCE_MS ? 0 : Math.round(middleMs)
    this.#onSkew(this.skewMs)
  }
}

interface Bounds {
  readonly earliestMs: number
  readonly latestMs: number
  readonly sentMs: number
  readonly arrivedMs: number
}

function isNear(offsetMs: number, { earliestMs, latestMs, sentMs, arrivedMs }: Bounds): boolean {
  const isBefore = arrivedMs + offsetMs < earliestMs - TOLERANCE_MS
  const isAfter = sentMs + offsetMs > latestMs + TOLERANCE_MS
  return !isBefore && !isAfter
}
