/**
 * The JobMaster runs one job: it starts attempts, drives their checkpoints, and restarts or ends
 * the job. An attempt is one try to run all subtasks; what fails in it ends it whole.
 *
 * Owns        the running attempt, the restart strategy, the job's result.
 * Leaves out  what happens inside an attempt (`job-attempt.ts`), and how slots are reached.
 *
 * Invariants
 *  A1  At most one attempt lives: the next begins after every slot said that the last one is over.
 *  A2  A restart goes on from the last completed checkpoint, never from what was asked for at
 *      first, once an attempt may have begun to run.
 *  A3  The job has one result.
 *  A4  An order to stop with a savepoint is answered once: the job ended with it, or it goes on.
 *      Any other order to end holds over restarts.
 */
import { assert } from '../../common/assert.ts'
import type { TimerHandle } from '../../common/clock.ts'
import { formatDuration } from '../../common/duration.ts'
import { buildExecutionPlan } from '../../graph/execution-plan.ts'
import { clusterErrors } from '../cluster-errors.ts'
import { errorOf } from '../failure-report.ts'
import type { FailureProgress, JobStatus } from '../job-progress.ts'
import type { JobResult } from '../job-result.ts'
import type { FailureReport, SlotEvent } from '../slot-messages.ts'
import { type AttemptEnd, JobAttempt } from './job-attempt.ts'
import {
  emptyCounts,
  type JobCounts,
  type JobMasterOptions,
  type StopRequest,
} from './job-master-options.ts'
import type { GenerationClaim } from './job-store.ts'
import { RestartStrategy } from './restart-strategy.ts'

const ends: ReadonlySet<JobStatus> = new Set(['finished', 'stopped', 'cancelled', 'failed'])

type FailedAttempt = AttemptEnd & { readonly kind: 'failed' }

/** What the job is to do: an order with a savepoint is undone where it fails (A4). */
type Wish =
  | { readonly kind: 'run' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'stop'; readonly request: StopRequest }

interface SavepointStop {
  readonly end: (result: JobResult) => void
  readonly giveUp: (error: unknown) => void
}

export class JobMaster {
  readonly done: Promise<JobResult>
  readonly counts: JobCounts
  readonly #options: JobMasterOptions
  readonly #strategy: RestartStrategy
  #resolve: (result: JobResult) => void = () => {}
  #status: JobStatus = 'starting'
  #attempt: JobAttempt | undefined
  #attempts = 0
  /** Whether an attempt got as far as to run tasks. */
  #deployed = false
  readonly #claim: GenerationClaim
  #wish: Wish = { kind: 'run' }
  #savepointStop: SavepointStop | undefined
  #savepointPath: string | undefined
  #restartTimer: TimerHandle | undefined
  #lastFailure: FailureProgress | undefined

  constructor(options: JobMasterOptions) {
    const slots = buildExecutionPlan(options.graph).slots
    assert(options.slots.length === slots, `the job needs ${slots} slots`)
    this.#options = options
    this.counts = options.counts ?? emptyCounts()
    this.#claim = { run: options.run, lastTried: 0 }
    this.#strategy = new RestartStrategy(options.settings.restart, options.random)
    this.done = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  get status(): JobStatus {
    return this.#status
  }

  get restarts(): number {
    return this.#strategy.restarts
  }

  get lastFailure(): FailureProgress | undefined {
    return this.#lastFailure
  }

  /** It was stopped or cancelled. */
  get isEnding(): boolean {
    return this.#wish.kind !== 'run'
  }

  start(): void {
    this.#begin()
  }

  /** Takes an event of a slot; those of an attempt that is over are dropped by it. */
  receive(event: SlotEvent): void {
    if (event.attempt === this.#attempt?.number) this.#attempt.receive(event)
  }

  /**
   * Ends the job after a last snapshot; resolves at its end. With a savepoint it rejects where the
   * job goes on instead: WEIR_STOP_REFUSED, WEIR_STOP_FAILED, WEIR_STOP_UNFINISHED.
   */
  stop(request: StopRequest = {}): Promise<JobResult> {
    if (request.savepoint === true) return this.#stopWithSavepoint(request)
    if (this.#isOver() || this.#wish.kind === 'cancel') return this.done
    this.#wish = { kind: 'stop', request }
    if (this.#restartTimer !== undefined) {
      // Nothing runs that could be snapshotted: its last completed checkpoint is where it stopped.
      this.#end({ outcome: 'stopped' })
    } else {
      this.#status = 'stopping'
      this.#attempt?.stop(request)
    }
    return this.done
  }

  #stopWithSavepoint(request: StopRequest): Promise<JobResult> {
    const attempt = this.#attempt
    if (this.#wish.kind !== 'run' || attempt === undefined || this.#isOver()) {
      return Promise.reject(clusterErrors.WEIR_STOP_REFUSED({ status: this.#status }))
    }
    this.#wish = { kind: 'stop', request }
    this.#status = 'stopping'
    attempt.stop(request)
    return new Promise((end, giveUp) => {
      this.#savepointStop = { end, giveUp }
    })
  }

  cancel(): void {
    if (this.#wish.kind === 'cancel' || this.#isOver()) return
    this.#wish = { kind: 'cancel' }
    this.#status = 'stopping'
    if (this.#restartTimer !== undefined) this.#end({ outcome: 'cancelled' })
    else this.#attempt?.cancel()
  }

  /** The running attempt cannot go on, for a reason outside of it. */
  fail(error: unknown): void {
    this.#attempt?.fail(error)
  }

  /** Takes a checkpoint now; resolves to its path. */
  checkpoint(): Promise<string> {
    return this.#attempt?.checkpoint() ?? Promise.reject(new Error('the job is not running'))
  }

  /** Takes a savepoint; resolves to its path. */
  savepoint(): Promise<string> {
    return (
      this.#attempt?.savepoint() ?? Promise.reject(new Error('the job is not running: try again'))
    )
  }

  #isOver(): boolean {
    return ends.has(this.#status)
  }

  #begin(): void {
    assert(this.#attempt === undefined, 'A1: the attempt before is over')
    const number = this.#attempts
    this.#attempts++
    const attempt = new JobAttempt({
      ...this.#options,
      number,
      claim: this.#claim,
      counts: this.counts,
      onDeployed: () => {
        this.#deployed = true
      },
      onRunning: () => {
        if (this.#status !== 'stopping') this.#status = 'running'
      },
      onFinishing: () => {
        this.#status = 'stopping'
      },
    })
    this.#attempt = attempt
    void attempt.over.then(end => this.#ended(end))
    attempt.start()
    if (this.#wish.kind === 'stop') attempt.stop(this.#wish.request)
  }

  #ended(end: AttemptEnd): void {
    this.#attempt = undefined
    if (this.#wish.kind === 'cancel') this.#end({ outcome: 'cancelled' })
    else if (end.kind === 'failed') this.#failed(end)
    else {
      if (end.kind === 'finished') this.#savepointPath = end.savepointPath
      this.#end({ outcome: this.#wish.kind === 'stop' ? 'stopped' : 'finished' })
    }
  }

  #failed({ failure: report, lastCheckpointId, savepointPath }: FailedAttempt): void {
    const nowMs = this.#options.clock.monotonic()
    const hasRun = this.#deployed
    const decision = this.#strategy.failed({ report, nowMs, lastCheckpointId, hasRun })
    this.#giveUpSavepointStop(report, savepointPath)
    const message = describe(report)
    const retryInMs = decision.kind === 'give-up' ? undefined : decision.delayMs
    this.#options.history?.jobFailed(report, retryInMs)
    if (decision.kind === 'give-up') {
      this.#lastFailure = { message, retryInMs: undefined }
      // What never was worth a second try is told by its error alone.
      if (report.retry !== 'never') this.#warn(`the job is not restarted: ${decision.reason}`)
      this.#end({ outcome: 'failed', failure: report })
      return
    }
    const { delayMs } = decision
    this.#lastFailure = { message, retryInMs: delayMs }
    this.#status = 'restarting'
    this.#warn(`restart ${this.restarts} in ${formatDuration(delayMs)}: ${message}`)
    this.#restartTimer = this.#options.clock.schedule(delayMs, () => {
      this.#restartTimer = undefined
      this.#begin()
    })
  }

  /** Bytes of a snapshot are read by the tasks themselves, before they run. */
  #isRefusal(failure: FailureReport | undefined): boolean {
    if (failure === undefined) return false
    if (!this.#deployed) return true
    return this.#status === 'starting' && failure.code === 'WEIR_CHECKPOINT_CORRUPT'
  }

  /** A4: the sources have ended, only a restart lets the job go on. */
  #giveUpSavepointStop(report: FailureReport, path: string | undefined): void {
    const order = this.#savepointStop
    if (order === undefined) return
    this.#savepointStop = undefined
    // An order without a savepoint that came meanwhile still holds.
    if (this.#wish.kind === 'stop' && this.#wish.request.savepoint) this.#wish = { kind: 'run' }
    const reason = describe(report)
    order.giveUp(
      path === undefined
        ? clusterErrors.WEIR_STOP_FAILED({ reason })
        : clusterErrors.WEIR_STOP_UNFINISHED({ path, reason }),
    )
    if (path !== undefined) {
      this.#warn(`savepoint ${path} completed, but the job failed before it ended, and goes on`)
    }
  }

  #warn(text: string): void {
    this.#options.onNotice({ level: 'warn', text })
  }

  #end(end: Pick<JobResult, 'outcome'> & { readonly failure?: FailureReport }): void {
    assert(!this.#isOver(), 'A3: a job ends once')
    this.#restartTimer?.cancel()
    this.#restartTimer = undefined
    const refused = this.#isRefusal(end.failure)
    this.#status = end.outcome
    const result: JobResult = {
      outcome: end.outcome,
      error: end.failure && errorOf(end.failure),
      refused,
      restarts: this.restarts,
      lastCheckpointPath: this.counts.lastCheckpointPath,
      savepointPath: this.#savepointPath,
    }
    this.#savepointStop?.end(result)
    this.#resolve(result)
  }
}

function describe(report: FailureReport): string {
  return report.code === undefined ? report.message : `${report.code}  ${report.message}`
}
