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
 *      first.
 *  A3  The job has one result.
 */
import { assert } from '../../common/assert.ts'
import type { TimerHandle } from '../../common/clock.ts'
import { formatDuration } from '../../common/duration.ts'
import { buildExecutionPlan } from '../../graph/execution-plan.ts'
import { errorOf } from '../failure-report.ts'
import type { FailureProgress, JobStatus } from '../job-progress.ts'
import type { JobResult } from '../job-result.ts'
import type { FailureReport, SlotEvent } from '../slot-messages.ts'
import { type AttemptEnd, JobAttempt } from './job-attempt.ts'
import type { JobCounts, JobMasterOptions } from './job-master-options.ts'
import { RestartStrategy } from './restart-strategy.ts'

const ends: ReadonlySet<JobStatus> = new Set(['finished', 'stopped', 'cancelled', 'failed'])

export class JobMaster {
  readonly done: Promise<JobResult>
  readonly counts: JobCounts = {
    checkpointsCompleted: 0,
    checkpointsFailed: 0,
    lastCheckpoint: undefined,
    lastCheckpointPath: undefined,
    lastCheckpointFailure: undefined,
  }
  readonly #options: JobMasterOptions
  readonly #strategy: RestartStrategy
  #resolve: (result: JobResult) => void = () => {}
  #status: JobStatus = 'starting'
  #attempt: JobAttempt | undefined
  #attempts = 0
  /** Whether an attempt settled what it goes on from (A2). */
  #settled = false
  #wanted: 'run' | 'stop' | 'cancel' = 'run'
  #restartTimer: TimerHandle | undefined
  #lastFailure: FailureProgress | undefined

  constructor(options: JobMasterOptions) {
    const slots = buildExecutionPlan(options.graph).slots
    assert(options.slots.length === slots, `the job needs ${slots} slots`)
    this.#options = options
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
    return this.#wanted !== 'run'
  }

  start(): void {
    this.#begin()
  }

  /** Takes an event of a slot; those of an attempt that is over are dropped by it. */
  receive(event: SlotEvent): void {
    if (event.attempt === this.#attempt?.number) this.#attempt.receive(event)
  }

  stop(): void {
    if (this.#wanted !== 'run' || this.#isOver()) return
    this.#wanted = 'stop'
    if (this.#restartTimer !== undefined) {
      // Nothing runs that could be snapshotted: its last completed checkpoint is where it stopped.
      this.#end({ outcome: 'stopped' })
    } else {
      this.#status = 'stopping'
      this.#attempt?.stop()
    }
  }

  cancel(): void {
    if (this.#wanted === 'cancel' || this.#isOver()) return
    this.#wanted = 'cancel'
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
      isRestart: this.#settled,
      counts: this.counts,
      onSettled: () => {
        this.#settled = true
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
    if (this.#wanted === 'stop') attempt.stop()
  }

  #ended(end: AttemptEnd): void {
    this.#attempt = undefined
    if (this.#wanted === 'cancel') this.#end({ outcome: 'cancelled' })
    else if (end.kind === 'failed') this.#failed(end.failure, end.lastCheckpointId)
    else this.#end({ outcome: this.#wanted === 'stop' ? 'stopped' : 'finished' })
  }

  #failed(report: FailureReport, lastCheckpointId: number): void {
    const nowMs = this.#options.clock.monotonic()
    const decision = this.#strategy.failed({ report, nowMs, lastCheckpointId })
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
    if (failure === undefined || this.#status !== 'starting') return false
    return !this.#settled || failure.code === 'WEIR_CHECKPOINT_CORRUPT'
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
    this.#resolve({
      outcome: end.outcome,
      error: end.failure && errorOf(end.failure),
      refused,
      restarts: this.restarts,
      lastCheckpointPath: this.counts.lastCheckpointPath,
    })
  }
}

function describe(report: FailureReport): string {
  return report.code === undefined ? report.message : `${report.code}  ${report.message}`
}
