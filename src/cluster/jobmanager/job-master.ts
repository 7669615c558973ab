/**
 * The JobMaster runs one job: it starts attempts, drives their checkpoints, and restarts, rescales
 * or ends the job. An attempt is one try to run all subtasks; what fails in it ends it whole,
 * unless only some failover regions of several are touched: these start again within it.
 *
 * Owns        the running attempt and its shape, the restart strategy, the job's result.
 * Leaves out  what happens inside an attempt (`job-attempt.ts`), and how slots are reached.
 *
 * Invariants
 *  A1  At most one attempt lives: the next begins after every slot said that the last one is over.
 *  A2  A restart goes on from the last completed checkpoint, never from what was asked for at
 *      first, once an attempt may have begun to run.
 *  A3  The job has one result.
 *  A4  An order to stop with a savepoint is answered once: the job ended with it, or it goes on.
 *      Any other order to end holds over restarts.
 *  A5  A rescale begins between two attempts. From the moment that its order is durable it holds
 *      over restarts and over the end of the jobmanager; only an order to end takes it back.
 *  A6  A restart of some regions is decided, counted and shown as one of the whole job is.
 */
import { assert, assertDefined } from '../../common/assert.ts'
import type { TimerHandle } from '../../common/clock.ts'
import { formatDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import { buildExecutionPlan } from '../../graph/execution-plan.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import { clusterErrors } from '../cluster-errors.ts'
import { errorOf, failureReport } from '../failure-report.ts'
import type { FailureProgress, JobStatus } from '../job-progress.ts'
import type { JobResult } from '../job-result.ts'
import type { FailureReport, SlotEvent } from '../slot-messages.ts'
import { JobAttempt } from './job-attempt.ts'
import type { AttemptEnd, FailedRegions } from './job-attempt-options.ts'
import {
  emptyCounts,
  type JobCounts,
  type JobMasterOptions,
  type JobShape,
  type RescaleOrder,
  type StopRequest,
} from './job-master-options.ts'
import type { GenerationClaim } from './job-store.ts'
import { type RestartDecision, RestartStrategy } from './restart-strategy.ts'

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

/** A rescale that was ordered and has not begun. */
interface Move extends RescaleOrder {
  readonly graph: JobGraph
  readonly begin: () => void
  readonly giveUp: (error: Error) => void
  /** Whoever asks for the same waits for this, too. Resolves when the order is durable. */
  noted: Promise<void>
}

export class JobMaster {
  readonly done: Promise<JobResult>
  readonly counts: JobCounts
  readonly #options: JobMasterOptions
  readonly #strategy: RestartStrategy
  #resolve: (result: JobResult) => void = () => {}
  #status: JobStatus = 'starting'
  #shape: JobShape
  #move: Move | undefined
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
    this.#options = options
    this.#shape = shaped(options)
    this.counts = options.counts ?? emptyCounts()
    this.#claim = { run: options.run, lastTried: 0, isSettled: false }
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

  /** The parallelism that it is on its way to. */
  get rescalingTo(): number | undefined {
    return this.#move?.graph.parallelism
  }

  get lastFailure(): FailureProgress | undefined {
    return this.#lastFailure
  }

  /** It was stopped or cancelled. */
  get isEnding(): boolean {
    return this.#wish.kind !== 'run'
  }

  /** One that was ended before has nothing to begin. */
  start(): void {
    if (!this.#isOver()) this.#begin()
  }

  /** Takes an event of a slot; those of an attempt that is over are dropped by it. */
  receive(event: SlotEvent): void {
    this.#attempt?.receive(event)
  }

  /**
   * Ends the job after a last snapshot; resolves at its end. With a savepoint it rejects where the
   * job goes on instead: WEIR_STOP_REFUSED, WEIR_STOP_FAILED, WEIR_STOP_UNFINISHED.
   */
  stop(request: StopRequest = {}): Promise<JobResult> {
    if (request.savepoint === true) return this.#stopWithSavepoint(request)
    if (this.#isOver() || this.#wish.kind === 'cancel') return this.done
    this.#wish = { kind: 'stop', request }
    this.#giveUpMove('it was stopped before')
    if (this.#isAtRest) {
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
    // It would be undone where the savepoint fails, and the order to rescale could not hold (A5).
    if (this.#move !== undefined) {
      return Promise.reject(clusterErrors.WEIR_STOP_REFUSED({ status: 'being rescaled' }))
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
    this.#giveUpMove('it was cancelled before')
    this.#status = 'stopping'
    if (this.#isAtRest) this.#end({ outcome: 'cancelled' })
    else this.#attempt?.cancel()
  }

  /**
   * Goes on at another parallelism, from a checkpoint that is taken first. Resolves when the order
   * is durable. Rejects, as `begun` does, with WEIR_RESCALE_REFUSED where it comes to nothing.
   */
  async rescale(parallelism: number): Promise<RescaleOrder> {
    const refuse = (reason: string): Error =>
      clusterErrors.WEIR_RESCALE_REFUSED({ parallelism, reason })
    const pending = this.#move
    if (pending?.graph.parallelism === parallelism) return this.#noted(pending, refuse)
    if (pending !== undefined) throw refuse(`it is on its way to ${pending.graph.parallelism}`)
    const { graph } = this.#shape
    if (parallelism === graph.parallelism) return { begun: Promise.resolve() }
    const { rescaling } = this.#options
    const attempt = this.#attempt
    if (rescaling === undefined) throw refuse('it keeps no state to move')
    // One that waits for slots in vain may do with fewer.
    const isReady = this.#status === 'running' || attempt?.isWaiting === true
    if (!isReady || this.isEnding || attempt === undefined) throw refuse(`it is ${this.#status}`)
    if (parallelism > graph.maxParallelism) {
      throw refuse(`spec.maxParallelism is ${graph.maxParallelism}`)
    }
    const move = this.#order(parallelism, refuse)
    move.noted = attempt.noteParallelism(parallelism)
    await this.#noted(move, refuse)
    if (this.#move === move) {
      rescaling.expect?.(move.graph)
      if (this.#attempt === attempt) void attempt.leave(parallelism)
    }
    return move
  }

  async #noted(move: Move, refuse: (reason: string) => Error): Promise<Move> {
    try {
      await move.noted
    } catch (error) {
      const reason = `the order could not be stored: ${messageOf(error)}`
      if (this.#move === move) this.#giveUpMove(reason)
      throw refuse(reason)
    }
    return move
  }

  /** The running attempt cannot go on, or the first one begin, for a reason outside of it. */
  fail(error: unknown): void {
    if (this.#attempts > 0) this.#attempt?.fail(error)
    else if (!this.#isOver()) this.#end({ outcome: 'failed', failure: failureReport(error) })
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

  /** No attempt is there to be ended: the first has not begun, or the next is waited for. */
  get #isAtRest(): boolean {
    return this.#attempts === 0 || this.#restartTimer !== undefined
  }

  #order(parallelism: number, refuse: (reason: string) => Error): Move {
    let graph: JobGraph
    try {
      graph = assertDefined(this.#options.rescaling, 'it can be rescaled').plan(parallelism)
    } catch (error) {
      throw refuse(messageOf(error))
    }
    const { promise: begun, resolve: begin, reject: giveUp } = Promise.withResolvers<void>()
    // Whoever ordered it may not wait for it.
    begun.catch(() => {})
    this.#move = { graph, begun, begin, giveUp, noted: Promise.resolve() }
    return this.#move
  }

  #giveUpMove(reason: string): void {
    const move = this.#move
    if (move === undefined) return
    this.#move = undefined
    const { parallelism } = move.graph
    move.giveUp(clusterErrors.WEIR_RESCALE_REFUSED({ parallelism, reason }))
    this.#options.rescaling?.expect?.(undefined)
  }

  /** A5: an attempt has left the job to one at another parallelism. */
  #rescale(parallelism: number): void {
    if (!this.isEnding) this.#status = 'restarting'
    try {
      // Ordered by the jobmanager before this one.
      if (this.#move === undefined) this.#order(parallelism, reason => new Error(reason))
    } catch (error) {
      const failure = failureReport(error)
      this.#failed({ kind: 'failed', failure, lastCheckpointId: 0, savepointPath: undefined })
      return
    }
    this.#begin()
  }

  #reshape(): void {
    const { onNotice, rescaling } = this.#options
    const move = this.#move
    if (move === undefined || rescaling === undefined) return
    this.#move = undefined
    this.#shape = shaped(rescaling.provide(move.graph))
    onNotice({ level: 'info', text: `goes on at parallelism ${move.graph.parallelism}` })
    move.begin()
  }

  #begin(): void {
    assert(this.#attempt === undefined, 'A1: the attempt before is over')
    this.#reshape()
    const number = this.#attempts
    this.#attempts++
    const attempt = new JobAttempt({
      ...this.#options,
      ...this.#shape,
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
      onRegionsFailed: failed => this.#regionsFailed(failed),
      nextNumber: () => this.#attempts++,
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
    else if (end.kind === 'left' && !this.#mayEndHere()) this.#rescale(end.parallelism)
    else {
      if (end.kind === 'finished') this.#savepointPath = end.savepointPath
      this.#end({ outcome: this.#wish.kind === 'stop' ? 'stopped' : 'finished' })
    }
  }

  /** The attempt goes on with the other regions (A6). */
  #regionsFailed({ failure: report, lastCheckpointId, ...scope }: FailedRegions): RestartDecision {
    const decision = this.#decide(report, lastCheckpointId)
    if (decision.kind === 'give-up') return decision
    const { delayMs } = decision
    const message = describe(report)
    this.#options.history?.jobFailed(report, { retryInMs: delayMs, scope })
    this.#lastFailure = { message, retryInMs: delayMs }
    this.#status = 'restarting'
    const what = `${scope.regions} of ${scope.of} failover regions`
    this.#warn(`restart ${this.restarts}, of ${what}, in ${formatDuration(delayMs)}: ${message}`)
    return decision
  }

  /** A4: with a savepoint it ends only by an attempt that takes it. */
  #mayEndHere(): boolean {
    return this.#wish.kind === 'stop' && this.#wish.request.savepoint !== true
  }

  #decide(report: FailureReport, lastCheckpointId: number): RestartDecision {
    const nowMs = this.#options.clock.monotonic()
    return this.#strategy.failed({ report, nowMs, lastCheckpointId, hasRun: this.#deployed })
  }

  #failed(end: FailedAttempt): void {
    const { failure: report, lastCheckpointId, savepointPath } = end
    const decision = end.decision ?? this.#decide(report, lastCheckpointId)
    this.#giveUpSavepointStop(report, savepointPath)
    const message = describe(report)
    const retryInMs = decision.kind === 'give-up' ? undefined : decision.delayMs
    this.#options.history?.jobFailed(report, { retryInMs, scope: undefined })
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
    this.#giveUpMove(`it ${end.outcome} before`)
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

function shaped(shape: JobShape): JobShape {
  const { graph, slots, supply } = shape
  const needed = buildExecutionPlan(graph).slots
  assert(slots.length === needed, `the job needs ${needed} slots`)
  return { graph, slots, ...(supply === undefined ? {} : { supply }) }
}

function describe(report: FailureReport): string {
  return report.code === undefined ? report.message : `${report.code}  ${report.message}`
}
