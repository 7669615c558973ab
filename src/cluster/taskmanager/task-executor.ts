/**
 * The executor of one slot: runs the slot's subtask of every vertex, stores their snapshots, and
 * answers the JobMaster. Subtasks of one failover region start and stop together.
 *
 * Owns        the tasks of the running attempt of each region, and the snapshots being stored.
 * Leaves out  every decision: it does what it is told and reports.
 *
 * Invariants
 *  X1  At most one attempt of a region runs in a slot; a command of another attempt of it than the
 *      last is ignored.
 *  X2  A snapshot is acknowledged after it was stored, never before.
 *  X3  After `cancelled` was reported nothing of the attempt runs, writes or reports any more.
 *  X4  Splits go to a task that exists: an enumerator speaks to readers that spoke to it.
 */
import { assert, assertDefined, assertNever } from '../../common/assert.ts'
import type { ExecutionPlan, Subtask } from '../../graph/execution-plan.ts'
import { type FailoverRegion, failoverRegions } from '../../graph/failover-regions.ts'
import type {
  CommitSettlement,
  TaskControl,
  TaskListener,
  TaskMetrics,
  TaskRestore,
  TaskSnapshot,
} from '../../runtime/task-contract.ts'
import { AlignmentGroups, type GroupStanding } from '../../runtime/watermark-alignment.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { alignedSlots } from '../aligned-slots.ts'
import { failureReport } from '../failure-report.ts'
import type {
  AttemptNetwork,
  RegionAttempt,
  SlotCommand,
  SlotEvent,
  SlotEventBody,
  SlotRestore,
} from '../slot-messages.ts'
import type { LocalCopies } from './local-copies.ts'
import { RestoreReader } from './restore-reader.ts'
import { writeSnapshot } from './snapshot-writer.ts'

/** Everything that makes one task run. */
export interface TaskStart {
  readonly subtask: Subtask
  readonly of: RegionAttempt
  readonly network: AttemptNetwork
  readonly restore: TaskRestore | undefined
  readonly listener: TaskListener
  /** Of the slot. */
  readonly alignment: AlignmentGroups
}

export interface TaskExecutorOptions {
  readonly slot: number
  readonly jobId: string
  readonly plan: ExecutionPlan
  /** `undefined`: the state of snapshots is not kept. */
  readonly store: ObjectStore | undefined
  /** Opens the store that a checkpoint is restored from. */
  readonly storeAt: (location: string) => ObjectStore
  /** Copies of what this slot stored. */
  readonly copies?: LocalCopies | undefined
  readonly startTask: (start: TaskStart) => TaskControl
  /** An attempt of a region is over: takes the last figures of its tasks. */
  readonly retire: (tasks: readonly TaskMetrics[], of: RegionAttempt) => void
  readonly report: (event: SlotEvent) => void
}

interface Attempt {
  readonly of: RegionAttempt
  readonly network: AttemptNetwork
  readonly tasks: Map<string, TaskControl>
  readonly alignment: AlignmentGroups
  /** Stores under way. */
  readonly writes: Set<Promise<void>>
  cancelled: boolean
  /** Resolves when nothing of it runs any more; `undefined` before it was cancelled. */
  ended: Promise<void> | undefined
}

export class TaskExecutor {
  readonly #options: TaskExecutorOptions
  readonly #regions: readonly FailoverRegion[]
  /** The last one of each region. */
  readonly #attempts = new Map<number, Attempt>()
  #alignment: AlignmentGroups

  constructor(options: TaskExecutorOptions) {
    this.#options = options
    this.#regions = failoverRegions(options.plan)
    this.#alignment = new AlignmentGroups(this.#sharedGroups())
  }

  /** The figures of the tasks that run now, by vertex. */
  get metrics(): readonly TaskMetrics[] {
    return [...this.#attempts.values()].flatMap(metricsOf)
  }

  handle(command: SlotCommand): void {
    if (command.kind === 'deploy') {
      this.#deploy(command)
      return
    }
    const attempt = this.#attemptOf(command)
    if (attempt === undefined) {
      // What never got to run is cancelled already.
      if (command.kind === 'cancel') this.#report(command, { kind: 'cancelled' })
      return
    }
    if (!attempt.cancelled) this.#perform(attempt, command)
  }

  /** Something that the attempt's tasks share cannot go on. */
  fail(of: RegionAttempt, error: unknown): void {
    const attempt = this.#attemptOf(of)
    if (attempt !== undefined) this.#fail(attempt, '', error)
  }

  /** Cancels what runs; resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    const ends = [...this.#attempts.values()].map(attempt => {
      attempt.ended ??= this.#cancel(attempt)
      return attempt.ended
    })
    await Promise.all(ends)
  }

  #attemptOf({ region, attempt }: RegionAttempt): Attempt | undefined {
    const last = this.#attempts.get(region)
    return last?.of.attempt === attempt ? last : undefined
  }

  #perform(attempt: Attempt, command: Exclude<SlotCommand, { kind: 'deploy' }>): void {
    const { tasks } = attempt
    switch (command.kind) {
      case 'trigger':
        this.#trigger(attempt, command)
        break
      case 'complete':
        this.#options.copies?.completed(command.checkpointId)
        for (const task of tasks.values()) task.notifyCheckpointComplete(command.checkpointId)
        break
      case 'abort':
        this.#options.copies?.aborted(command.checkpointId)
        for (const task of tasks.values()) task.notifyCheckpointAborted(command.checkpointId)
        break
      case 'add-splits': {
        const { vertexId, operatorId } = command.reader
        readerOf(attempt, vertexId).addSplits(operatorId, command.splits)
        break
      }
      case 'no-more-splits': {
        const { vertexId, operatorId } = command.reader
        readerOf(attempt, vertexId).noMoreSplits(operatorId)
        break
      }
      case 'stop-sources':
        for (const task of this.#sources(attempt)) task.stopSources(command.drain)
        break
      case 'align':
        this.#align(attempt, command.others)
        break
      case 'finish':
        for (const task of tasks.values()) task.finishTask()
        break
      case 'cancel':
        attempt.ended = this.#cancel(attempt, command.settlement)
        break
      default:
        assertNever(command)
    }
  }

  #deploy(command: SlotCommand & { kind: 'deploy' }): void {
    const { region, attempt: number } = command
    const last = this.#attempts.get(region)
    assert(last === undefined || last.cancelled, 'X1: the attempt before was cancelled')
    const all = [...this.#attempts.values()]
    // Where everything starts anew nothing is known of the other slots.
    if (all.every(({ cancelled }) => cancelled)) {
      this.#alignment = new AlignmentGroups(this.#sharedGroups())
    }
    const attempt: Attempt = {
      of: { region, attempt: number },
      network: command,
      tasks: new Map(),
      alignment: this.#alignment,
      writes: new Set(),
      cancelled: false,
      ended: undefined,
    }
    this.#attempts.set(region, attempt)
    void this.#start(attempt, command.restore)
  }

  async #start(attempt: Attempt, restore: SlotRestore | undefined): Promise<void> {
    const { slot, startTask, storeAt, copies } = this.#options
    const reader = restore && new RestoreReader(storeAt(restore.location), restore, copies)
    const { region } = attempt.of
    const { subtasks } = assertDefined(this.#regions[region], `the job has region ${region}`)
    for (const subtask of subtasks.filter(({ index }) => index === slot)) {
      const { id, chain } = subtask.vertex
      try {
        const restored = await reader?.read(
          id,
          chain.map(operator => operator.operatorId),
        )
        if (attempt.cancelled) return
        const listener = this.#listen(attempt, id)
        const { alignment, of, network } = attempt
        const start = { subtask, of, network, alignment, restore: restored, listener }
        attempt.tasks.set(id, startTask(start))
      } catch (error) {
        this.#fail(attempt, id, error)
        return
      }
    }
  }

  #listen(attempt: Attempt, vertexId: string): TaskListener {
    const say = (event: SlotEventBody): void => this.#say(attempt, event)
    return {
      running: () => say({ kind: 'running', vertexId }),
      snapshotTaken: snapshot => this.#store(attempt, snapshot),
      declined: (checkpointId, reason) =>
        say({ kind: 'declined', isFailure: false, checkpointId, vertexId, reason }),
      requestSplit: operatorId => say({ kind: 'request-split', reader: { vertexId, operatorId } }),
      drained: () => say({ kind: 'drained', vertexId }),
      finished: () => say({ kind: 'finished', vertexId }),
      failed: error => this.#fail(attempt, vertexId, error),
    }
  }

  /** Those with sources in this slot and in others. */
  #sharedGroups(): readonly string[] {
    const groups = [...alignedSlots(this.#options.plan.graph)]
    return groups.filter(([, slots]) => slots.has(this.#options.slot)).map(([group]) => group)
  }

  #align(attempt: Attempt, others: readonly GroupStanding[]): void {
    const { alignment } = attempt
    alignment.hear(others)
    const standings = alignment.standings()
    this.#say(attempt, { kind: 'aligned', standings, waits: alignment.isWaiting })
  }

  #trigger(attempt: Attempt, command: SlotCommand & { readonly kind: 'trigger' }): void {
    const { checkpointId, snapshot, timestamp, alignment } = command
    for (const task of this.#sources(attempt)) {
      task.triggerCheckpoint({ checkpointId, timestamp, kind: snapshot, alignment })
    }
  }

  /** A task without inputs begins a checkpoint; the others get barriers through their inputs. */
  *#sources(attempt: Attempt): Generator<TaskControl> {
    for (const { id, inputs } of this.#options.plan.graph.vertices) {
      const task = attempt.tasks.get(id)
      if (inputs.length === 0 && task !== undefined) yield task
    }
  }

  #store(attempt: Attempt, snapshot: TaskSnapshot): void {
    const { store, jobId } = this.#options
    const { checkpointId, vertexId } = snapshot
    const write = writeSnapshot({ store, jobId, snapshot }).then(
      part => this.#say(attempt, { kind: 'acknowledged', checkpointId, part }),
      (error: unknown) => {
        const reason = failureReport(error).message
        const declined = { kind: 'declined', checkpointId, vertexId, reason } as const
        this.#say(attempt, { ...declined, isFailure: true })
      },
    )
    attempt.writes.add(write)
    void write.then(() => attempt.writes.delete(write))
  }

  async #cancel(attempt: Attempt, settlement?: CommitSettlement): Promise<void> {
    attempt.cancelled = true
    const closing = [...attempt.tasks.values()].map(task => task.cancel(settlement))
    // What is being stored must not turn up after a later attempt cleaned the folder.
    await Promise.allSettled([...closing, ...attempt.writes])
    this.#options.retire(metricsOf(attempt), attempt.of)
    attempt.tasks.clear()
    this.#report(attempt.of, { kind: 'cancelled' })
  }

  #fail(attempt: Attempt, vertexId: string, error: unknown): void {
    this.#say(attempt, { kind: 'failed', vertexId, failure: failureReport(error) })
  }

  /** X3: a cancelled attempt says nothing. */
  #say(attempt: Attempt, event: SlotEventBody): void {
    if (!attempt.cancelled) this.#report(attempt.of, event)
  }

  #report({ region, attempt }: RegionAttempt, event: SlotEventBody): void {
    this.#options.report({ region, attempt, slot: this.#options.slot, ...event })
  }
}

function metricsOf({ tasks }: Attempt): readonly TaskMetrics[] {
  return [...tasks.values()].map(task => task.metrics)
}

/** A split that finds nobody would be lost, and the job would wait for it for ever. */
function readerOf(attempt: Attempt, vertexId: string): TaskControl {
  return assertDefined(attempt.tasks.get(vertexId), `X4: the reader of ${vertexId} is there`)
}
