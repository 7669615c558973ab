/**
 * Performs what the checkpoint coordinator decides, and tells it what became of it.
 *
 * Owns        the coordinator's state of one attempt, its timer, and calls to the job's store.
 * Leaves out  decisions (`checkpoint/`), and how slots are reached: the JobMaster passes ports.
 *
 * Invariants
 *  D1  Decisions are performed in their order; calls to the store one after the other.
 *  D2  Removing files never holds up the protocol.
 *  D3  An event that arises while a decision is performed waits until all of them were.
 *  D4  Files are removed after the calls that were made before: no metadata turns up later.
 *  D5  Subtasks that start again alone do so from the last completed checkpoint, once it is sure
 *      which that is: `pause` resolves when nothing is being stored any more.
 */
import type { JsonValue } from '../../api/source.ts'
import { CarriedCounts } from '../../checkpoint/carried-counts.ts'
import { coordinate, startCoordinator } from '../../checkpoint/checkpoint-coordinator.ts'
import {
  buildMetadata,
  type EdgeDescription,
  type OperatorDescription,
  type Proof,
  sizeOf,
} from '../../checkpoint/checkpoint-metadata.ts'
import type { CompletedCheckpoint } from '../../checkpoint/completed-checkpoints.ts'
import {
  type CoordinatorDecision,
  type CoordinatorEvent,
  type CoordinatorState,
  lastCompletedId,
  mayExist,
  nextWakeMs,
  type RequestOutcome,
  type SnapshotKind,
} from '../../checkpoint/coordinator-state.ts'
import type { SubtaskHandle } from '../../checkpoint/snapshot-handle.ts'
import { assertDefined, assertNever } from '../../common/assert.ts'
import type { Clock, TimerHandle } from '../../common/clock.ts'
import type { BarrierAlignment, CommitSettlement } from '../../runtime/task-contract.ts'
import type { CheckpointProgress } from '../job-progress.ts'
import type { CheckpointSettings } from '../job-settings.ts'
import type { JobHistory } from './job-history.ts'
import type { JobStore } from './job-store.ts'

/** What the driver cannot do itself. */
export interface CheckpointPorts {
  /** Snapshots the enumerators and injects the barriers. May throw. */
  trigger(barrier: Trigger): ReadonlyMap<string, JsonValue>
  complete(id: number, final: boolean): void
  abort(id: number): void
  /** Too many checkpoints failed. */
  failJob(reason: string): void
  /** A newer generation of the job runs. */
  fenced(by: number): void
  checkpointFailed(id: number, reason: string): void
  /** `kind`: the last snapshot may be a savepoint. */
  checkpointCompleted(progress: CheckpointProgress, kind: SnapshotKind): void
  /** Files could not be removed: nothing is lost, but space. */
  cleanupFailed(error: unknown): void
  /** An invariant does not hold. */
  crashed(error: unknown): void
}

export interface Trigger {
  readonly checkpointId: number
  readonly snapshot: SnapshotKind
  readonly timestamp: number
  readonly alignment: BarrierAlignment
}

export interface CheckpointDriverOptions {
  readonly jobId: string
  readonly jobName: string
  readonly store: JobStore
  readonly clock: Clock
  readonly settings: CheckpointSettings
  readonly ports: CheckpointPorts
  readonly operators: readonly OperatorDescription[]
  readonly edges: readonly EdgeDescription[]
  /** The highest id reserved before. */
  readonly lastId: number
  readonly completed: readonly CompletedCheckpoint[]
  readonly proofBefore: Proof | undefined
  readonly history?: JobHistory
}

/** What is known of a snapshot beyond the coordinator's words. */
interface Begun {
  readonly kind: SnapshotKind
  readonly startedAtMs: number
  triggeredAtMs: number
  enumerators: ReadonlyMap<string, JsonValue>
  sizeBytes: number
}

export class CheckpointDriver {
  readonly #options: CheckpointDriverOptions
  readonly #begun = new Map<number, Begun>()
  readonly #requests = new Map<string, (outcome: RequestOutcome) => void>()
  /** Savepoints lie elsewhere; a late part of one must still be found. */
  readonly #savepoints = new Set<number>()
  readonly #events: CoordinatorEvent[] = []
  readonly #counts = new CarriedCounts()
  #performing = false
  /** Of this attempt; it may be a savepoint. */
  #newestSnapshot = 0
  #state: CoordinatorState
  #timer: TimerHandle | undefined
  #requested = 0
  /** The protocol's calls to the store, and the removals (D1, D2). */
  #calls: Promise<void> = Promise.resolve()
  #removals: Promise<void> = Promise.resolve()

  constructor(driverOptions: CheckpointDriverOptions) {
    this.#options = driverOptions
    const { lastId, completed, settings } = driverOptions
    const options = { ...settings, overtaking: settings.alignment.kind !== 'aligned' }
    this.#state = startCoordinator({ options, lastId, completed })
  }

  /** The newest completed checkpoint; 0 for none. */
  get lastCompletedId(): number {
    return lastCompletedId(this.#state) ?? 0
  }

  /** Only the last snapshot is left to take, or nothing any more. */
  get isEnding(): boolean {
    return this.#state.phase === 'finishing' || this.#state.phase === 'stopped'
  }

  /** What a cancelled job may commit, and what it must not; final once `halt` was called. */
  get settlement(): CommitSettlement {
    const commitUpTo = this.lastCompletedId
    return { commitUpTo, abortBeyond: Math.max(commitUpTo, this.#newestSnapshot) }
  }

  /** Resolves when it is known whether what is being stored now has become a snapshot. */
  async stored(): Promise<void> {
    const ids = [...this.#state.pending.values()].filter(mayExist).map(({ id }) => id)
    let awaited: Promise<void> | undefined
    while (awaited !== this.#calls && ids.some(id => this.#state.pending.has(id))) {
      awaited = this.#calls
      await awaited
    }
  }

  allRunning(tasks: readonly string[]): void {
    this.#tell({ kind: 'running', tasks, nowMs: this.#now() })
  }

  /** `snapshot`: what the last one is to be. */
  allDrained(snapshot: SnapshotKind): void {
    this.#tell({ kind: 'drained', snapshot, nowMs: this.#now() })
  }

  acknowledged(id: number, task: string, part: SubtaskHandle): void {
    this.#tell({ kind: 'acknowledged', id, task, part, nowMs: this.#now() })
  }

  /** A subtask takes no part: no failure. */
  declined(id: number, reason: string): void {
    this.#tell({ kind: 'declined', id, reason, nowMs: this.#now() })
  }

  failed(id: number, reason: string): void {
    this.#tell({ kind: 'failed', id, reason, nowMs: this.#now() })
  }

  /** Takes a snapshot now; resolves to its path, or rejects with the reason why not. */
  request(snapshot: SnapshotKind): Promise<string> {
    this.#requested++
    const requestId = `request-${this.#requested}`
    return new Promise((resolve, reject) => {
      this.#requests.set(requestId, outcome => {
        if (outcome.kind === 'failed') reject(new Error(outcome.reason))
        else resolve(this.#options.store.pathOf(snapshot, outcome.id))
      })
      this.#tell({ kind: 'requested', snapshot, requestId, nowMs: this.#now() })
    })
  }

  /**
   * Begins nothing until all subtasks run again, and gives up what is pending. Resolves when no
   * checkpoint is being stored any more (D5): to false where one may be in the store that did not
   * complete.
   */
  async pause(reason: string): Promise<boolean> {
    if (this.#state.phase !== 'waiting') this.#tell({ kind: 'paused', reason })
    await this.#settled()
    return this.#state.doubtful.length === 0
  }

  /** These subtasks start again from the last completed checkpoint. */
  startedAgain(tasks: readonly string[]): void {
    this.#counts.startedAgain(tasks)
  }

  /** Gives up what is pending; resolves when no call to the store is under way any more. */
  async halt(reason: string): Promise<void> {
    this.#tell({ kind: 'halted', reason })
    await this.#settled()
    await this.#removals
  }

  async #settled(): Promise<void> {
    // What is performed right now may still add calls.
    await Promise.resolve()
    let awaited: Promise<void> | undefined
    while (awaited !== this.#calls) {
      awaited = this.#calls
      await awaited
    }
  }

  #now(): number {
    return this.#options.clock.monotonic()
  }

  #tell(event: CoordinatorEvent): void {
    this.#events.push(event)
    if (this.#performing) return
    this.#performing = true
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        const { state, decisions } = coordinate(this.#state, next)
        this.#state = state
        for (const decision of decisions) this.#perform(decision)
      }
    } finally {
      this.#performing = false
    }
    this.#setTimer()
  }

  #setTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const wakeMs = nextWakeMs(this.#state)
    if (wakeMs === Number.POSITIVE_INFINITY) return
    const delayMs = Math.max(0, wakeMs - this.#now())
    this.#timer = this.#options.clock.schedule(delayMs, () => this.#tick())
  }

  #tick(): void {
    try {
      this.#tell({ kind: 'tick', nowMs: this.#now() })
    } catch (error) {
      this.#options.ports.crashed(error)
    }
  }

  #perform(decision: CoordinatorDecision): void {
    const { ports, store } = this.#options
    switch (decision.kind) {
      case 'reserve-id':
        this.#reserve(decision.id, decision.snapshot)
        break
      case 'trigger':
        this.#trigger(decision)
        break
      case 'write-metadata':
        this.#write(decision)
        break
      case 'verify-generation':
        this.#call(decision.id, async () => {
          const newer = await store.newerGeneration()
          if (newer !== undefined) return { kind: 'fenced', by: newer }
          return { kind: 'generation-verified', id: decision.id, nowMs: this.#now() }
        })
        break
      case 'complete':
        this.#complete(decision)
        break
      case 'savepoint-done':
        this.#begun.delete(decision.id)
        this.#counts.abandoned(decision.id)
        this.#noteCompleted('savepoint', decision.id, false)
        break
      case 'answer':
        this.#requests.get(decision.requestId)?.(decision.outcome)
        this.#requests.delete(decision.requestId)
        break
      case 'abort':
        this.#abort(decision)
        break
      case 'discard':
      case 'delete':
        this.#remove(decision.id)
        break
      case 'fail-job':
        ports.failJob(decision.reason)
        break
      case 'stop':
        ports.fenced(decision.by)
        break
      default:
        assertNever(decision)
    }
  }

  #reserve(id: number, kind: SnapshotKind): void {
    const startedAtMs = this.#now()
    const enumerators = new Map<string, JsonValue>()
    if (kind === 'savepoint') this.#savepoints.add(id)
    this.#begun.set(id, { kind, startedAtMs, triggeredAtMs: 0, enumerators, sizeBytes: 0 })
    this.#options.history?.begun(id, kind)
    this.#call(id, async () => {
      const newer = await this.#options.store.reserveId(id)
      if (newer !== undefined) return { kind: 'fenced', by: newer }
      return { kind: 'id-reserved', id, nowMs: this.#now() }
    })
  }

  #trigger({ id, snapshot, aligned }: CoordinatorDecision & { readonly kind: 'trigger' }): void {
    const { clock, ports, settings } = this.#options
    const begun = assertDefined(this.#begun.get(id), `checkpoint ${id} was begun`)
    const timestamp = clock.now()
    const alignment: BarrierAlignment = aligned ? { kind: 'aligned' } : settings.alignment
    begun.triggeredAtMs = timestamp
    try {
      begun.enumerators = ports.trigger({ checkpointId: id, snapshot, timestamp, alignment })
    } catch (error) {
      this.failed(id, `a source could not be snapshotted: ${reasonOf(error)}`)
    }
  }

  #write(decision: CoordinatorDecision & { readonly kind: 'write-metadata' }): void {
    const { id, snapshot, final } = decision
    const subtasks = [...decision.parts.values()] as readonly SubtaskHandle[]
    const { jobId, jobName, store, clock, operators, edges, proofBefore } = this.#options
    const begun = assertDefined(this.#begun.get(id), `checkpoint ${id} was begun`)
    begun.sizeBytes = sizeOf(subtasks)
    const metadata = buildMetadata({
      kind: begun.kind,
      checkpointId: id,
      jobId,
      jobName,
      generation: store.generation,
      triggeredAtMs: begun.triggeredAtMs,
      completedAtMs: clock.now(),
      operators,
      edges,
      subtasks,
      enumerators: begun.enumerators,
      proofBefore,
      carried: this.#counts.acknowledged(id, subtasks),
    })
    this.#options.history?.acknowledged(metadata, subtasks)
    this.#call(id, async () => {
      await store.writeMetadata(metadata)
      if (final && snapshot === 'savepoint') await store.noteFinalSavepoint(id)
      return { kind: 'metadata-written', id, nowMs: this.#now() }
    })
  }

  #complete(decision: CoordinatorDecision & { readonly kind: 'complete' }): void {
    const { id, snapshot, final } = decision
    const begun = assertDefined(this.#begun.get(id), `checkpoint ${id} was begun`)
    this.#begun.delete(id)
    this.#counts.completed(id)
    const durationMs = this.#now() - begun.startedAtMs
    const { sizeBytes } = begun
    this.#options.ports.checkpointCompleted({ id, durationMs, sizeBytes }, snapshot)
    this.#noteCompleted(snapshot, id, true)
    this.#options.ports.complete(id, final)
  }

  #noteCompleted(kind: SnapshotKind, id: number, isBase: boolean): void {
    const { history, store } = this.#options
    this.#newestSnapshot = Math.max(this.#newestSnapshot, id)
    history?.completed(id, store.pathOf(kind, id), isBase)
  }

  #abort(decision: CoordinatorDecision & { readonly kind: 'abort' }): void {
    const { id, failed, keepFiles, reason } = decision
    const { history, ports } = this.#options
    this.#begun.delete(id)
    this.#counts.abandoned(id)
    history?.abandoned(id, failed ? 'failed' : 'aborted', reason)
    ports.abort(id)
    if (failed) ports.checkpointFailed(id, reason)
    if (!keepFiles) this.#remove(id)
  }

  /** Runs a call to the store after those before it; what it rejects with fails the checkpoint. */
  #call(id: number, action: () => Promise<CoordinatorEvent>): void {
    this.#calls = this.#calls
      .then(action)
      .then(
        event => this.#tell(event),
        (error: unknown) => this.failed(id, reasonOf(error)),
      )
      .catch((error: unknown) => this.#options.ports.crashed(error))
  }

  #remove(id: number): void {
    const kind = this.#savepoints.has(id) ? 'savepoint' : 'checkpoint'
    // D4: what is being written now would outlive its files.
    const calls = this.#calls
    this.#removals = this.#removals
      .then(() => calls)
      .then(() => this.#options.store.remove(kind, id))
      .catch((error: unknown) => this.#options.ports.cleanupFailed(error))
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
