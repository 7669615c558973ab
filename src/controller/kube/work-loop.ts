/**
 * Takes keys from the queue and reconciles them, several at a time. What goes wrong with one key
 * delays that key alone.
 */
import { Backoff, type BackoffOptions } from '../../common/backoff.ts'
import type { Clock } from '../../common/clock.ts'
import { messageOf } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { Alarm } from './alarm.ts'
import type { Work, WorkQueue } from './work-queue.ts'

/** Looks at the object of the key and does what is to be done; milliseconds until the next look. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<number | undefined>

export type WorkResult = 'done' | 'again' | 'failed'

export interface WorkFigures {
  readonly work: Work
  readonly result: WorkResult
  readonly seconds: number
}

export interface WorkLoopOptions {
  readonly queue: WorkQueue
  readonly reconcile: Reconcile
  readonly atOnce: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly observe?: (figures: WorkFigures) => void
}

/** Outside calls have deadlines of their own: this is for all of a pass. */
const PASS_MAX_MS = 30_000

const retries: BackoffOptions = {
  initialDelayMs: 5,
  maxDelayMs: 1_000_000,
  factor: 2,
  jitter: 0.2,
  resetAfterMs: Number.POSITIVE_INFINITY,
  attemptsMax: Number.POSITIVE_INFINITY,
}

export class WorkLoop {
  readonly #options: WorkLoopOptions
  readonly #backoffs = new Map<string, Backoff>()
  readonly #stop = new AbortController()
  readonly #started = new Map<string, number>()

  constructor(options: WorkLoopOptions) {
    this.#options = options
  }

  /** Age of the oldest pass that has not ended. */
  get longestMs(): number {
    const nowMs = this.#options.clock.monotonic()
    return Math.max(0, ...[...this.#started.values()].map(sinceMs => nowMs - sinceMs))
  }

  /** Comes back when the queue is closed and nothing is in flight. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.atOnce }, () => this.#worker()))
  }

  /** What is in flight is told to end, and nothing new begins. */
  stop(reason: Error): void {
    this.#options.queue.close()
    this.#stop.abort(reason)
  }

  async #worker(): Promise<void> {
    const { queue } = this.#options
    for (let work = await queue.take(); work !== undefined; work = await queue.take()) {
      await this.#pass(work)
    }
  }

  async #pass(work: Work): Promise<void> {
    const { queue, clock, reconcile, observe } = this.#options
    const { key } = work
    const startedMs = clock.monotonic()
    this.#started.set(key, startedMs)
    const pass = new AbortController()
    const end = (): void => pass.abort(this.#stop.signal.reason)
    this.#stop.signal.addEventListener('abort', end, { once: true })
    const deadline = new Alarm(clock)
    deadline.set(PASS_MAX_MS, () => pass.abort(new Error(`not done in ${PASS_MAX_MS} ms`)))
    let result: WorkResult = 'done'
    try {
      const againMs = await reconcile(key, pass.signal)
      this.#backoffs.delete(key)
      if (againMs !== undefined) {
        result = 'again'
        queue.addAfter(key, againMs)
      }
    } catch (error) {
      result = 'failed'
      this.#failed(key, error)
    } finally {
      deadline.clear()
      this.#stop.signal.removeEventListener('abort', end)
      this.#started.delete(key)
      queue.done(key)
      observe?.({ work, result, seconds: (clock.monotonic() - startedMs) / 1_000 })
    }
  }

  #failed(key: string, error: unknown): void {
    const { queue, clock, random, logger } = this.#options
    if (this.#stop.signal.aborted) return
    const backoff = this.#backoffs.get(key) ?? new Backoff(retries, random)
    this.#backoffs.set(key, backoff)
    const delayMs = backoff.failed(clock.monotonic()) ?? retries.maxDelayMs
    queue.addAfter(key, delayMs)
    const { attempts } = backoff
    logger.warn({ key, attempts, delayMs, err: error, message: messageOf(error) }, 'pass failed')
  }
}
