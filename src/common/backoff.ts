/**
 * Exponential back-off with jitter: how long to wait before the next try, and when to give up. It
 * reads no clock: the caller passes the time of each failure.
 */
import { assert } from './assert.ts'
import type { Random } from './random.ts'

export interface BackoffOptions {
  readonly initialDelayMs: number
  readonly maxDelayMs: number
  /** Each delay is the one before times this; at least 1. */
  readonly factor: number
  /** Share of the delay that is drawn at random, both ways, so that many do not retry at once. */
  readonly jitter: number
  /** So long without a failure makes the next one the first again. */
  readonly resetAfterMs: number
  /** Failures in a row that are borne; the next one gives up. */
  readonly attemptsMax: number
}

/** How jobs restart unless the manifest says otherwise. */
export const restartBackoff: BackoffOptions = {
  initialDelayMs: 1_000,
  maxDelayMs: 60_000,
  factor: 1.5,
  jitter: 0.1,
  resetAfterMs: 3_600_000,
  attemptsMax: Number.POSITIVE_INFINITY,
}

export class Backoff {
  readonly #options: BackoffOptions
  readonly #random: Random
  #attempts = 0
  #lastFailureMs = Number.NEGATIVE_INFINITY

  constructor(options: BackoffOptions, random: Random) {
    assert(options.initialDelayMs <= options.maxDelayMs, 'the initial delay is at most the largest')
    assert(options.factor >= 1, 'a back-off never shrinks')
    assert(options.jitter >= 0 && options.jitter < 1, 'jitter is a share below 1')
    this.#options = options
    this.#random = random
  }

  /** Failures in a row so far. */
  get attempts(): number {
    return this.#attempts
  }

  /** Records a failure: milliseconds to wait, or `undefined` when no try is left. */
  failed(nowMs: number): number | undefined {
    const { initialDelayMs, maxDelayMs, factor, jitter, resetAfterMs, attemptsMax } = this.#options
    // A clock set back makes the distance negative: that is no proof of a stable time.
    if (nowMs - this.#lastFailureMs >= resetAfterMs) this.#attempts = 0
    this.#lastFailureMs = nowMs
    if (this.#attempts >= attemptsMax) return undefined
    const plain = Math.min(maxDelayMs, initialDelayMs * factor ** this.#attempts)
    this.#attempts++
    return Math.round(plain * (1 + jitter * (2 * this.#random.next() - 1)))
  }

  /** The work went well: the next failure is the first again. */
  succeeded(): void {
    this.#attempts = 0
    this.#lastFailureMs = Number.NEGATIVE_INFINITY
  }
}
