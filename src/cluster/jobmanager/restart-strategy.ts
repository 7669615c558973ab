/**
 * Decides whether a failed job starts again, when, and says why not.
 *
 * Owns        the count and times of failures.
 * Leaves out  clocks and timers: the caller passes times and waits.
 *
 * Invariants
 *  B1  What cannot change by trying again is not tried again.
 *  B2  A job that fails in the same way at the same place, without a completed checkpoint in
 *      between, is given up after SAME_FAILURES_MAX tries: the same records would fail for ever.
 *  B3  Every decision to give up carries its reason.
 *  B4  A lost process costs no delay: the attempt waits for the one that takes its place anyway,
 *      and whoever starts that one waits where it dies at once.
 *  B5  A job that cannot begin to run is given up after START_TRIES_MAX tries: whoever started it
 *      waits for an answer, and nothing is lost yet.
 */
import { Backoff } from '../../common/backoff.ts'
import type { Random } from '../../common/random.ts'
import type { RestartSettings } from '../job-settings.ts'
import type { FailureReport } from '../slot-messages.ts'

/** Twice can be an accident; three times in a row is a property of the job. */
const SAME_FAILURES_MAX = 3
/** Over about eight seconds, with the delays that are the default. */
const START_TRIES_MAX = 5
/** As in Flink: each delay of `exponential-delay` is the one before times this. */
const BACKOFF_FACTOR = 1.5
const BACKOFF_JITTER = 0.1
/** Of strategies whose attempts the manifest leaves open. */
const FIXED_DELAY_ATTEMPTS = 3
const FAILURE_RATE_ATTEMPTS = 3

/** A process is gone; the job is as well as before. */
const SLOT_LOST = 'WEIR_SLOT_LOST'

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'give-up'; readonly reason: string }

export interface JobFailure {
  readonly report: FailureReport
  readonly nowMs: number
  /** The newest completed checkpoint: a higher one than at the last failure is progress. */
  readonly lastCheckpointId: number
  /** Whether any attempt got as far as to run tasks. */
  readonly hasRun: boolean
}

export class RestartStrategy {
  readonly #settings: RestartSettings
  readonly #backoff: Backoff
  #recent: readonly number[] = []
  #restarts = 0
  #sameInRow = 0
  #lastFingerprint = ''
  #lastCheckpointId = -1

  constructor(settings: RestartSettings, random: Random) {
    this.#settings = settings
    this.#backoff = new Backoff(
      {
        initialDelayMs: settings.initialDelayMs,
        maxDelayMs: Math.max(settings.initialDelayMs, settings.maxDelayMs),
        factor: BACKOFF_FACTOR,
        jitter: BACKOFF_JITTER,
        resetAfterMs: settings.resetAfterMs,
        attemptsMax: settings.attempts ?? Number.POSITIVE_INFINITY,
      },
      random,
    )
  }

  /** Restarts decided so far. */
  get restarts(): number {
    return this.#restarts
  }

  failed(failure: JobFailure): RestartDecision {
    const decision = this.#decide(failure)
    if (decision.kind === 'restart') this.#restarts++
    return decision
  }

  #decide(failure: JobFailure): RestartDecision {
    if (failure.report.retry === 'never') return giveUp('trying again cannot help')
    if (!failure.hasRun && this.#restarts + 1 >= START_TRIES_MAX) {
      return giveUp(`it could not be started in ${START_TRIES_MAX} tries`)
    }
    if (this.#repeats(failure)) {
      return giveUp(`it failed ${SAME_FAILURES_MAX} times in the same way, without any progress`)
    }
    const { strategy, initialDelayMs, attempts, resetAfterMs } = this.#settings
    const isLoss = failure.report.code === SLOT_LOST
    switch (strategy) {
      case 'none':
        return giveUp('the restart strategy is none')
      case 'fixed-delay': {
        const most = attempts ?? FIXED_DELAY_ATTEMPTS
        if (this.#restarts < most) return { kind: 'restart', delayMs: isLoss ? 0 : initialDelayMs }
        return giveUp(`it was restarted ${most} times`)
      }
      case 'failure-rate': {
        const most = attempts ?? FAILURE_RATE_ATTEMPTS
        const since = failure.nowMs - resetAfterMs
        this.#recent = [...this.#recent.filter(time => time > since), failure.nowMs]
        const delayMs = isLoss ? 0 : initialDelayMs
        if (this.#recent.length <= most) return { kind: 'restart', delayMs }
        return giveUp(`it failed more than ${most} times within ${resetAfterMs} ms`)
      }
      default: {
        if (isLoss) return { kind: 'restart', delayMs: 0 }
        const delayMs = this.#backoff.failed(failure.nowMs)
        if (delayMs !== undefined) return { kind: 'restart', delayMs }
        return giveUp(`it was restarted ${attempts} times in a row`)
      }
    }
  }

  /** Only failures of the job's own code repeat by nature; the world outside may recover (B2). */
  #repeats({ report, lastCheckpointId }: JobFailure): boolean {
    const fingerprint = `${report.code} ${report.message}`
    const same =
      report.retry === 'now' &&
      fingerprint === this.#lastFingerprint &&
      lastCheckpointId <= this.#lastCheckpointId
    this.#sameInRow = same ? this.#sameInRow + 1 : 1
    this.#lastFingerprint = fingerprint
    this.#lastCheckpointId = lastCheckpointId
    return this.#sameInRow >= SAME_FAILURES_MAX
  }
}

function giveUp(reason: string): RestartDecision {
  return { kind: 'give-up', reason }
}
