/**
 * One attempt to run a job: takes a generation, restores, deploys, keeps checkpoints going, and
 * ends when all subtasks have finished or one thing has failed.
 *
 * Owns        the attempt's generation, coordinator, enumerators, and how far its subtasks are.
 * Leaves out  whether another attempt follows.
 *
 * Invariants
 *  T1  Nothing is deployed before the generation is taken and what it goes on from is recorded.
 *  T2  The first failure ends the attempt; later ones belong to it. Only the loss of a process
 *      takes the place of the broken channels that it caused: it may be noticed after them.
 *  T3  It is over only when every slot has stopped and no call to the store is under way.
 *  T4  Subtasks close after the final snapshot completed and its commit was ordered.
 *  T5  What cannot be restored is refused before anything is written, and before a job that runs
 *      would notice.
 *  T6  A checkpoint that was ordered for another parallelism ends the attempt, taken or not: the
 *      job goes on from the last that completed.
 */
import type { SnapshotKind } from '../../checkpoint/coordinator-state.ts'
import type { Lineage } from '../../checkpoint/generation.ts'
import { assert } from '../../common/assert.ts'
import { buildExecutionPlan } from '../../graph/execution-plan.ts'
import type { CommitSettlement } from '../../runtime/task-contract.ts'
import { clusterErrors } from '../cluster-errors.ts'
import { failureReport } from '../failure-report.ts'
import type { FailureReport, SlotCommandBody, SlotEvent } from '../slot-messages.ts'
import { AlignmentRounds } from './alignment-rounds.ts'
import { AttemptTasks } from './attempt-tasks.ts'
import { CheckpointDriver, type CheckpointPorts, type Trigger } from './checkpoint-driver.ts'
import type { JobCounts, JobMasterOptions, StopRequest } from './job-master-options.ts'
import { type GenerationClaim, JobStore } from './job-store.ts'
import { chooseRestore, type RestoreChoice } from './restore-choice.ts'
import {
  edgeDescriptions,
  loadRestoredJob,
  operatorDescriptions,
  type RestoredJob,
  slotRestore,
} from './restored-job.ts'
import { SourceCoordinator } from './source-coordinator.ts'

export interface JobAttemptOptions extends JobMasterOptions {
  readonly number: number
  readonly claim: GenerationClaim
  readonly counts: JobCounts
  readonly onDeployed: () => void
  readonly onRunning: () => void
  readonly onFinishing: () => void
}

export type AttemptEnd =
  | {
      readonly kind: 'finished'
      /** Where it was stopped with one. */
      readonly savepointPath: string | undefined
    }
  | { readonly kind: 'cancelled' }
  /** To be gone on from at this parallelism. */
  | { readonly kind: 'left'; readonly parallelism: number }
  | {
      readonly kind: 'failed'
      readonly failure: FailureReport
      /** The newest completed checkpoint; 0 for none. */
      readonly lastCheckpointId: number
      /** The savepoint that was to end the job, if that completed. */
      readonly savepointPath: string | undefined
    }

export class JobAttempt {
  readonly number: number
  readonly over: Promise<AttemptEnd>
  readonly #options: JobAttemptOptions
  readonly #store: JobStore
  readonly #tasks: AttemptTasks
  readonly #stoppedSlots = new Set<number>()
  #resolve: (end: AttemptEnd) => void = () => {}
  readonly #alignment: AlignmentRounds
  #driver: CheckpointDriver | undefined
  #sources: SourceCoordinator | undefined
  #restored: RestoredJob | undefined
  #deployed = false
  #running = false
  #isCancelled = false
  #stopping: StopRequest | undefined
  #savepointPath: string | undefined
  #end: AttemptEnd | undefined
  #allStopped: () => void = () => {}
  /** Reads and writes of the store outside of checkpoints. */
  #sweeping: Promise<void> = Promise.resolve()
  #starting: Promise<void> = Promise.resolve()
  #noting: Promise<void> = Promise.resolve()
  /** The end of waiting for slots. */
  readonly #gaveUp = new AbortController()
  #waiting = false

  constructor(options: JobAttemptOptions) {
    this.number = options.number
    this.#options = options
    this.#store = new JobStore(options)
    const { graph, clock } = options
    const send = (slot: number, command: SlotCommandBody): void => this.#send(slot, command)
    this.#alignment = new AlignmentRounds({ graph, clock, send })
    const { subtasks } = buildExecutionPlan(graph)
    this.#tasks = new AttemptTasks(subtasks.map(subtask => subtask.id))
    this.over = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  /** Nothing was deployed yet: slots are missing. */
  get isWaiting(): boolean {
    return this.#waiting && !this.#ending
  }

  start(): void {
    this.#starting = this.#start().catch((error: unknown) => this.#fail(error))
  }

  receive(event: SlotEvent): void {
    try {
      if (event.kind === 'cancelled') this.#slotStopped(event.slot)
      else if (event.kind === 'failed') this.#failWith(event.failure)
      else if (!this.#ending) this.#take(event)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Ends the sources as soon as all subtasks run; the rest follows from there. */
  stop(request: StopRequest): void {
    if (this.#stopping !== undefined || this.#ending) return
    this.#stopping = request
    if (this.#waiting) this.#stopWaiting(request)
    if (this.#running) this.#stopSources(request)
    // All input is over already: only the last snapshot may still become another one.
    if (this.#tasks.all('drained')) this.#allDrained()
  }

  /** Waits for a checkpoint that is being stored: whether it became one decides what is visible. */
  cancel(): void {
    this.#isCancelled = true
    const stored = this.#driver?.stored() ?? Promise.resolve()
    void stored.then(() => {
      if (!this.#ending) void this.#finish({ kind: 'cancelled' })
    })
  }

  savepoint(): Promise<string> {
    return this.#request('savepoint')
  }

  checkpoint(): Promise<string> {
    return this.#request('checkpoint')
  }

  fail(error: unknown): void {
    this.#fail(error)
  }

  /** Makes it durable that the job goes on at another parallelism. Rejects where it cannot. */
  noteParallelism(parallelism: number): Promise<void> {
    const noted = this.#store.noteParallelism(parallelism)
    this.#noting = noted.catch(() => {})
    return noted
  }

  /** Leaves the job to an attempt at another parallelism, after a checkpoint (T6). */
  async leave(parallelism: number): Promise<void> {
    try {
      if (!this.#waiting) await this.checkpoint()
    } catch (error) {
      if (this.#ending) return
      const reason = failureReport(error).message
      const text = `no checkpoint before the rescale, the last completed one is used: ${reason}`
      this.#options.onNotice({ level: 'warn', text })
    }
    const isWanted = !this.#isCancelled && this.#stopping === undefined
    if (!this.#ending && isWanted) this.#leave(parallelism)
  }

  #leave(parallelism: number): void {
    void this.#finish({ kind: 'left', parallelism })
  }

  #request(kind: SnapshotKind): Promise<string> {
    return (
      this.#driver?.request(kind) ?? Promise.reject(new Error('the job is starting: try again'))
    )
  }

  async #start(): Promise<void> {
    const { clock, graph, history, jobId, onNotice, settings } = this.#options
    await this.#refuseEarly()
    const lineage = await this.#store.begin()
    const { parallelism } = graph
    const ordered = this.#orderedOther(lineage)
    if (ordered !== undefined) {
      if (!this.#ending) this.#leave(ordered)
      return
    }
    const choice = this.#choose(lineage)
    const restored = await this.#load(choice)
    if (this.#ending) return
    await this.#store.settle(lineage, { ...choice.base, parallelism })
    // Whoever took a generation before this was durable may go on from something else: then what is
    // restored here must not be committed. Whoever takes one later goes on from this (T1).
    const newer = await this.#store.newerGeneration()
    if (newer !== undefined) {
      throw clusterErrors.WEIR_JOB_FENCED({ jobId, own: this.#store.generation, newer })
    }
    if (choice.note !== undefined) onNotice({ level: 'info', text: choice.note })
    if (restored !== undefined) {
      onNotice({ level: 'info', text: `restored from ${restored.path}` })
      for (const text of restored.notes) onNotice({ level: 'warn', text })
      this.#restored = restored
    }
    if (this.#ending) return
    this.#driver = new CheckpointDriver({
      jobId,
      jobName: graph.name,
      store: this.#store,
      clock,
      settings: settings.checkpoint,
      ports: this.#checkpointPorts(),
      operators: operatorDescriptions(graph),
      edges: edgeDescriptions(graph),
      // A savepoint of another job may have a higher id than any of this one.
      lastId: Math.max(lineage.lastCheckpointId, restored?.plan.checkpointId ?? 0),
      completed: choice.base.history,
      proofBefore: restored?.proof,
      ...(history === undefined ? {} : { history }),
    })
    const send = (slot: number, command: SlotCommandBody): void => this.#send(slot, command)
    const fail = (error: unknown): void => this.#fail(error)
    const sources = new SourceCoordinator({ graph, restore: restored?.plan, clock, send, fail })
    this.#sources = sources
    const peers = await this.#awaitSlots()
    if (peers === undefined) return
    this.#deploy(restored, peers)
    // Neither is waited for: enumerators may take long to look around.
    sources.start().catch(fail)
    this.#sweeping = this.#sweep(lineage)
  }

  /** T5: taking the generation would end a job that runs. */
  async #refuseEarly(): Promise<void> {
    const { number, restore } = this.#options
    if (number > 0 || restore.kind === 'none') return
    const lineage = await this.#store.look()
    if (this.#orderedOther(lineage) === undefined) await this.#load(this.#choose(lineage))
  }

  /**
   * The jobmanager before this one may have been told to rescale. An attempt that failed before it
   * knew leaves the question to the next.
   */
  #orderedOther({ parallelism }: Lineage): number | undefined {
    const { claim, graph, rescaling } = this.#options
    if (claim.isSettled || rescaling === undefined) return undefined
    return parallelism === graph.parallelism ? undefined : parallelism
  }

  #choose(lineage: Lineage): RestoreChoice {
    const { jobId, restore, store } = this.#options
    return chooseRestore({ request: restore, lineage, store, jobId })
  }

  async #load(choice: RestoreChoice): Promise<RestoredJob | undefined> {
    const { place } = choice
    if (place === undefined) return undefined
    const { graph, jobId, restore: request, storeAt } = this.#options
    const store = storeAt(place.location)
    return loadRestoredJob({ graph, jobId, choice: { ...choice, place }, store, request })
  }

  /** Where the slots take data, as soon as all are there; `undefined`: the attempt is over. */
  async #awaitSlots(): Promise<readonly string[] | undefined> {
    const { supply } = this.#options
    if (supply === undefined) return []
    this.#waiting = true
    if (this.#stopping !== undefined && supply.peers === undefined) {
      this.#stopWaiting(this.#stopping)
    }
    // One may have left again by the time that the last one came.
    while (!this.#ending && supply.peers === undefined) {
      await supply.whenComplete(this.#gaveUp.signal)
    }
    this.#waiting = false
    return this.#ending ? undefined : supply.peers
  }

  #deploy(restored: RestoredJob | undefined, peers: readonly string[]): void {
    const { graph, slots } = this.#options
    const { generation } = this.#store
    this.#deployed = true
    this.#options.onDeployed()
    slots.forEach((_, slot) => {
      const restore = restored && slotRestore(graph, restored, slot)
      this.#send(slot, { kind: 'deploy', restore, generation, peers })
    })
  }

  /** What earlier attempts left costs space only: a failure to remove it fails nothing. */
  async #sweep(lineage: Lineage): Promise<void> {
    const { retained } = this.#options.settings.checkpoint
    await this.#store.sweep(lineage, retained).catch((error: unknown) => this.#leftBehind(error))
  }

  #leftBehind(error: unknown): void {
    const text = `old checkpoints could not be removed: ${failureReport(error).message}`
    this.#options.onNotice({ level: 'warn', text })
  }

  #take(event: Exclude<SlotEvent, { readonly kind: 'cancelled' | 'failed' }>): void {
    const { slot } = event
    switch (event.kind) {
      case 'running':
        if (this.#tasks.reached(`${event.vertexId}/${slot}`, 'running')) this.#allRunning()
        this.#sources?.readerRunning(event.vertexId, slot)
        break
      case 'request-split':
        this.#sources?.splitRequested(event.reader.operatorId, slot)
        break
      case 'acknowledged':
        this.#driver?.acknowledged(event.checkpointId, `${event.part.vertexId}/${slot}`, event.part)
        break
      case 'declined':
        this.#declined(event, `${event.vertexId}/${slot}: ${event.reason}`)
        break
      case 'aligned':
        this.#alignment.report(event)
        break
      case 'drained':
        if (this.#tasks.reached(`${event.vertexId}/${slot}`, 'drained')) this.#allDrained()
        break
      case 'finished':
        if (this.#tasks.reached(`${event.vertexId}/${slot}`, 'finished')) {
          void this.#finish({ kind: 'finished', savepointPath: this.#savepointPath })
        }
        break
    }
  }

  #declined(event: SlotEvent & { readonly kind: 'declined' }, reason: string): void {
    if (event.isFailure) this.#driver?.failed(event.checkpointId, reason)
    else this.#driver?.declined(event.checkpointId, reason)
  }

  #allRunning(): void {
    this.#running = true
    // Only now is it proven that it can be restored.
    const { counts, history } = this.#options
    counts.lastCheckpointPath = this.#restored?.path
    if (this.#restored !== undefined) history?.restored(this.#restored.snapshot)
    this.#driver?.allRunning(this.#tasks.names)
    this.#alignment.start()
    this.#options.onRunning()
    if (this.#stopping !== undefined) this.#stopSources(this.#stopping)
  }

  /**
   * What nothing runs of cannot be snapshotted: its last completed checkpoint is where it stopped.
   * A savepoint waits for the slots, too.
   */
  #stopWaiting({ savepoint = false }: StopRequest): void {
    if (!savepoint) void this.#finish({ kind: 'cancelled' })
  }

  #stopSources({ drain = false }: StopRequest): void {
    this.#broadcast({ kind: 'stop-sources', drain })
  }

  #allDrained(): void {
    this.#options.onFinishing()
    this.#driver?.allDrained(this.#stopping?.savepoint === true ? 'savepoint' : 'checkpoint')
  }

  #checkpointPorts(): CheckpointPorts {
    const { counts, jobId, onNotice } = this.#options
    return {
      trigger: trigger => this.#trigger(trigger),
      complete: (id, final) => this.#complete(id, final),
      abort: id => this.#broadcast({ kind: 'abort', checkpointId: id }),
      failJob: reason => this.#fail(clusterErrors.WEIR_CHECKPOINTS_FAILING({ reason })),
      fenced: newer => {
        const own = this.#store.generation
        this.#fail(clusterErrors.WEIR_JOB_FENCED({ jobId, own, newer }))
      },
      checkpointFailed: (id, reason) => {
        counts.checkpointsFailed++
        counts.lastCheckpointFailure = reason
        onNotice({ level: 'warn', text: `checkpoint ${id} failed: ${reason}` })
      },
      checkpointCompleted: (progress, kind) => {
        counts.checkpointsCompleted++
        counts.lastCheckpoint = progress
        counts.lastCheckpointPath = this.#store.pathOf(kind, progress.id)
        if (kind === 'savepoint') this.#savepointPath = counts.lastCheckpointPath
      },
      cleanupFailed: error => this.#leftBehind(error),
      crashed: error => this.#fail(error),
    }
  }

  #trigger(trigger: Trigger) {
    assert(this.#sources !== undefined, 'T1: enumerators are there before a checkpoint')
    return this.#sources.snapshot(trigger.checkpointId, () =>
      this.#broadcast({ kind: 'trigger', ...trigger }),
    )
  }

  #complete(id: number, final: boolean): void {
    this.#broadcast({ kind: 'complete', checkpointId: id })
    this.#sources?.notifyComplete(id)
    if (!final) return
    assert(this.#tasks.all('drained'), 'T4: the final checkpoint is taken after all input is over')
    this.#broadcast({ kind: 'finish' })
  }

  #send(slot: number, command: SlotCommandBody): void {
    this.#options.slots[slot]?.send({ attempt: this.number, ...command })
  }

  #broadcast(command: SlotCommandBody): void {
    this.#options.slots.forEach((_, slot) => this.#send(slot, command))
  }

  #fail(error: unknown): void {
    this.#failWith(failureReport(error))
  }

  #failWith(failure: FailureReport): void {
    const end = this.#end
    if (end === undefined) {
      const lastCheckpointId = this.#driver?.lastCompletedId ?? 0
      const savepointPath = this.#savepointPath
      void this.#finish({ kind: 'failed', failure, lastCheckpointId, savepointPath })
    } else if (end.kind === 'failed' && isLoss(failure) && isBrokenChannel(end.failure)) {
      this.#end = { ...end, failure }
    }
  }

  /** T3: the next attempt may begin when this resolves. */
  async #finish(end: AttemptEnd): Promise<void> {
    assert(!this.#ending, 'T2: an attempt ends once')
    this.#end = end
    this.#gaveUp.abort()
    this.#alignment.close()
    const sources = this.#sources?.close()
    const store = this.#driver?.halt(end.kind === 'finished' ? 'the job is over' : 'the job failed')
    const settlement = end.kind === 'cancelled' ? this.#driver?.settlement : undefined
    if (end.kind !== 'finished' && this.#deployed) await this.#stopSlots(settlement)
    await Promise.all([sources, store])
    await this.#starting
    await this.#sweeping
    await this.#noting
    this.#resolve(this.#end)
  }

  get #ending(): boolean {
    return this.#end !== undefined
  }

  #stopSlots(settlement: CommitSettlement | undefined): Promise<void> {
    const stopped = new Promise<void>(resolve => {
      this.#allStopped = resolve
    })
    this.#broadcast({ kind: 'cancel', settlement })
    return stopped
  }

  #slotStopped(slot: number): void {
    this.#stoppedSlots.add(slot)
    if (this.#stoppedSlots.size === this.#options.slots.length) this.#allStopped()
  }
}

function isLoss({ code }: FailureReport): boolean {
  return code === 'WEIR_SLOT_LOST'
}

function isBrokenChannel({ code }: FailureReport): boolean {
  return code?.startsWith('WEIR_PEER_') === true
}
