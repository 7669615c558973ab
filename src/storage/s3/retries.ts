/**
 * Tries a request again while that may help. A store that answers nothing but errors must not be
 * asked more and more: retries come out of a budget that only successes fill again.
 */
import { Backoff, type BackoffOptions } from '../../common/backoff.ts'
import type { Clock } from '../../common/clock.ts'
import type { Random } from '../../common/random.ts'
import { isRetriable } from './s3-failure.ts'

const backoff: BackoffOptions = {
  initialDelayMs: 50,
  maxDelayMs: 5_000,
  factor: 2,
  jitter: 0.5,
  resetAfterMs: Number.POSITIVE_INFINITY,
  attemptsMax: 8,
}

const BUDGET_MAX = 500
const RETRY_COST = 5

export interface RetriesOptions {
  readonly clock: Clock
  readonly random: Random
}

/** `short`: somebody waits at a terminal. */
export type Patience = 'long' | 'short'

const SHORT_TRIES = 5

/** What became of one request. */
export type Outcome<T> = {
  /** How often it was sent; above 1 an earlier answer may have been lost. */
  readonly tries: number
} & (
  | { readonly kind: 'done'; readonly result: T }
  | { readonly kind: 'failed'; readonly error: unknown }
)

export class Retries {
  readonly #options: RetriesOptions
  #budget = BUDGET_MAX
  #count = 0

  constructor(options: RetriesOptions) {
    this.#options = options
  }

  /** Requests that were sent again. */
  get count(): number {
    return this.#count
  }

  /** Sends a request until it succeeds, fails for good, or patience or budget are used up. */
  async run<T>(send: () => Promise<T>, patience: Patience = 'long'): Promise<Outcome<T>> {
    const { clock, random } = this.#options
    const waits = new Backoff(backoff, random)
    for (let tries = 1; ; tries++) {
      try {
        const result = await send()
        this.#budget = Math.min(BUDGET_MAX, this.#budget + 1)
        return { kind: 'done', result, tries }
      } catch (error) {
        const isOver = patience === 'short' && tries >= SHORT_TRIES
        const mayHelp = isRetriable(error) && !isOver
        const delayMs = mayHelp ? waits.failed(clock.monotonic()) : undefined
        if (delayMs === undefined || this.#budget < RETRY_COST) {
          return { kind: 'failed', error, tries }
        }
        this.#budget -= RETRY_COST
        this.#count++
        await new Promise<void>(resolve => void clock.schedule(delayMs, resolve))
      }
    }
  }
}
