/**
 * Asks jobmanagers for their facts, again and again, so that a pass over a job waits for nobody.
 *
 * Owns        when which job is asked, and what was heard last.
 * Leaves out  what follows from it: a pass is woken and reads `heard`.
 *
 * Invariants
 *  P1  A job has at most one question under way, and all together AT_ONCE_MAX.
 *  P2  What is heard of a jobmanager that was replaced meanwhile is dropped.
 *  P3  However many jobs there are, only so many are asked in a second: the more there are, the
 *      seldomer each. Jobs that something is awaited of do not wait for all the others, nor for
 *      those that have been silent for long.
 */
import type { Clock, TimerHandle } from '../../common/clock.ts'
import { isWeirError, messageOf } from '../../common/errors.ts'
import type { Random } from '../../common/random.ts'
import type { JobFacts } from '../../protocol/job-facts.ts'
import type { JobLink, JobTarget } from './job-link.ts'

/** What is known by asking. */
export interface HeardJob {
  /** The last that it said. */
  readonly facts: JobFacts | undefined
  /** It does not answer: for how long, and why. */
  readonly silence: { readonly ms: number; readonly why: string } | undefined
}

/** `often`: something is awaited. `soon`: and a job is not at work until it is known. */
export type Pace = 'soon' | 'often' | 'seldom'

export interface FactsPollerOptions {
  readonly link: Pick<JobLink, 'facts'>
  readonly clock: Clock
  readonly random: Random
  /**
   * It has answered, or not: what was heard may be old, and time alone may matter. Not told is that
   * one which has been silent for long still is, for the same reason.
   */
  readonly onHeard: (key: string) => void
}

const AT_ONCE_MAX = 16
const delaysMs: Readonly<Record<Pace, number>> = {
  soon: 200,
  often: 1_000,
  seldom: 10_000,
}
/** A question costs a millisecond of processor time: ten are the price of idling. */
const perSecondMax: Readonly<Record<Pace, number>> = { soon: 40, often: 20, seldom: 10 }
/** Those that are due within it are asked together: a question on its own costs twice as much. */
const batchMs: Readonly<Record<Pace, number>> = { soon: 1, often: 1, seldom: 1_000 }
/** One that is silent for longer is not about to speak. */
const SOON_AGAIN_MS = 60_000
/** Counted for each question, ten thousand jobs would cost more than the question. */
const COUNTED_EVERY_MS = 1_000
/** Jobs that began together are not asked together for ever. */
const JITTER = 0.2

interface Asked {
  readonly target: JobTarget
  pace: Pace
  facts: JobFacts | undefined
  silence: { readonly sinceMs: number; readonly why: string } | undefined
  timer: TimerHandle | undefined
  /** When the last question ended. */
  endedMs: number
}

export class FactsPoller {
  readonly #options: FactsPollerOptions
  readonly #jobs = new Map<string, Asked>()
  readonly #waiting = new Set<string>()
  readonly #stop = new AbortController()
  readonly #flying = new Set<string>()
  /** How many there are of each pace. */
  #counts: Readonly<Record<Pace, number>> = { soon: 0, often: 0, seldom: 0 }
  #countedMs = Number.NEGATIVE_INFINITY

  constructor(options: FactsPollerOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#jobs.size
  }

  /** Those that do not answer. */
  get silent(): number {
    return [...this.#jobs.values()].filter(one => one.silence !== undefined).length
  }

  /** Of this very jobmanager. */
  heard(key: string, target: JobTarget | undefined): HeardJob {
    const job = this.#jobs.get(key)
    if (job === undefined || !isSame(job.target, target)) {
      return { facts: undefined, silence: undefined }
    }
    const { facts, silence } = job
    const ms = silence === undefined ? 0 : this.#options.clock.monotonic() - silence.sinceMs
    return { facts, silence: silence && { ms, why: silence.why } }
  }

  /** From now on it is asked at this pace; `undefined`: nobody is there to be asked. */
  want(key: string, target: JobTarget | undefined, pace: Pace): void {
    const before = this.#jobs.get(key)
    if (before !== undefined && isSame(before.target, target)) {
      if (before.pace === pace) return
      before.pace = pace
      if (!this.#isAsked(key)) this.#schedule(key, before)
      return
    }
    before?.timer?.cancel()
    this.#jobs.delete(key)
    this.#waiting.delete(key)
    if (target === undefined || this.#stop.signal.aborted) return
    const nothing = { facts: undefined, silence: undefined, timer: undefined }
    this.#jobs.set(key, { target, pace, ...nothing, endedMs: Number.NEGATIVE_INFINITY })
    this.#ask(key)
  }

  stop(): void {
    this.#stop.abort(new Error('the controller stops'))
    for (const { timer } of this.#jobs.values()) timer?.cancel()
    this.#jobs.clear()
    this.#waiting.clear()
  }

  #isAsked(key: string): boolean {
    return this.#flying.has(key) || this.#waiting.has(key)
  }

  #schedule(key: string, job: Asked): void {
    const { clock, random } = this.#options
    const pace = paceOf(job, clock.monotonic())
    // P3
    const alike = this.#countOf(pace)
    const everyMs = Math.max(delaysMs[pace], (alike / perSecondMax[pace]) * 1_000)
    const jitter = 1 - JITTER + 2 * JITTER * random.next()
    const dueMs = Math.max(clock.monotonic(), job.endedMs + everyMs * jitter)
    const batch = batchMs[pace]
    const atMs = Math.ceil(dueMs / batch) * batch
    job.timer?.cancel()
    job.timer = clock.schedule(atMs - clock.monotonic(), () => {
      job.timer = undefined
      this.#ask(key)
    })
  }

  #countOf(pace: Pace): number {
    const nowMs = this.#options.clock.monotonic()
    if (nowMs - this.#countedMs >= COUNTED_EVERY_MS) {
      const counts = { soon: 0, often: 0, seldom: 0 }
      for (const job of this.#jobs.values()) counts[paceOf(job, nowMs)]++
      this.#counts = counts
      this.#countedMs = nowMs
    }
    return this.#counts[pace]
  }

  /** P1 */
  #ask(key: string): void {
    this.#waiting.add(key)
    this.#serve()
  }

  #serve(): void {
    for (const key of this.#waiting) {
      if (this.#flying.size >= AT_ONCE_MAX) return
      // One that was replaced in flight is asked when the old question is over.
      if (this.#flying.has(key)) continue
      this.#waiting.delete(key)
      const job = this.#jobs.get(key)
      if (job !== undefined) void this.#question(key, job)
    }
  }

  async #question(key: string, job: Asked): Promise<void> {
    const { link, clock, onHeard } = this.#options
    const before = job.silence
    this.#flying.add(key)
    try {
      job.facts = await link.facts(job.target, this.#stop.signal)
      job.silence = undefined
    } catch (error) {
      const sinceMs = before?.sinceMs ?? clock.monotonic()
      job.silence = { sinceMs, why: wordsOf(error) }
    }
    this.#flying.delete(key)
    job.endedMs = clock.monotonic()
    // P2
    if (this.#jobs.get(key) === job) {
      const isKnown = isLong(before, job.endedMs) && before?.why === job.silence?.why
      if (!isKnown) onHeard(key)
      this.#schedule(key, job)
    }
    this.#serve()
  }
}

function wordsOf(error: unknown): string {
  return isWeirError(error) ? `${error.code} ${error.message}` : messageOf(error)
}

/** Whether a silent one speaks again is worth to know soon, but not for ever. */
function paceOf({ pace, silence }: Asked, nowMs: number): Pace {
  if (isLong(silence, nowMs)) return 'seldom'
  return silence === undefined || pace === 'soon' ? pace : 'often'
}

function isLong(silence: Asked['silence'], nowMs: number): boolean {
  return silence !== undefined && nowMs - silence.sinceMs >= SOON_AGAIN_MS
}

function isSame(one: JobTarget, other: JobTarget | undefined): boolean {
  return (
    other !== undefined &&
    one.uid === other.uid &&
    one.epoch === other.epoch &&
    one.podIp === other.podIp
  )
}
