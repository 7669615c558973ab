/**
 * One attempt to run a job: takes a generation, restores, deploys, keeps checkpoints going, and
 * ends when all subtasks have finished or when it cannot go on. What fails in some failover regions
 * of several starts these again within the attempt.
 *
 * Owns        the attempt's generation, coordinator, enumerators, and how far its subtasks are.
 * Leaves out  whether another attempt follows, and how regions start again (`region-failover.ts`).
 *
 * Invariants
 *  T1  Nothing is deployed before the generation is taken and what it goes on from is recorded.
 *  T2  The first failure that ends the attempt is its cause; later ones belong to it, but for the
 *      loss of a process (`causeOf`).
 *  T3  It is over only when every slot has stopped and no call to the store is under way.
 *  T4  Subtasks close after the final snapshot completed and its commit was ordered.
 *  T5  What cannot be restored is refused before anything is written, and before a job that runs
 *      would notice.
 *  T6  A checkpoint that was ordered for another parallelism ends the attempt, taken or not: the
 *      job goes on from the last that completed.
 *  T7  A region starts again alone only between the moment when all subtasks and enumerators ran
 *      and the end of the job's input: before it nothing proves that they can run, after it sources
 *      have ended.
 *  T8  Checkpoints are taken while all subtasks run and all readers have what was restored.
 */
import type { SnapshotKind } from '../../checkpoint/coordinator-state.ts'
import type { Lineage } from '../../checkpoint/generation.ts'
import { assert } from '../../common/assert.ts'
import { buildExecutionPlan } from '../../graph/execution-plan.ts'
import { clusterErrors } from '../cluster-errors.ts'
import { failureReport } from '../failure-report.ts'
import type { FailureReport, SlotEvent } from '../slot-messages.ts'
import { AlignmentRounds } from './alignment-rounds.ts'
import { AttemptTasks } from './attempt-tasks.ts'
import { CheckpointDriver, type CheckpointPorts, type Trigger } from './checkpoint-driver.ts'
import type { AttemptEnd, JobAttemptOptions } from './job-attempt-options.ts'
import type { StopRequest } from './job-master-options.ts'
import { JobRegions } from './job-regions.ts'
import { JobStore } from './job-store.ts'
import { causeOf, type FailoverPorts, RegionFailover } from './region-failover.ts'
import type { RestartDecision } from './restart-strategy.ts'
import {
  edgeDescriptions,
  operatorDescriptions,
  type RestoredJob,
  slotRestore,
} from './restored-job.ts'
import { SourceCoordinator } from './source-coordinator.ts'
import { StartingPoint } from './starting-point.ts'

interface Deployment {
  readonly number: number
  readonly restored: RestoredJob | undefined
  /** By slot: where it takes data. */
  readonly peers: readonly string[]
}

export class JobAttempt {
  readonly number: number
  readonly over: Promise<AttemptEnd>
  readonly #options: JobAttemptOptions
  readonly #store: JobStore
  readonly #start: StartingPoint
  readonly #tasks: AttemptTasks
  readonly #regions: JobRegions
  readonly #failover: RegionFailover
  #resolve: (end: AttemptEnd) => void = () => {}
  readonly #alignment: AlignmentRounds
  #driver: CheckpointDriver | undefined
  #sources: SourceCoordinator | undefined
  #running = false
  #hasRun = false
  #readersKnown = false
  #isCancelled = false
  #stopping: StopRequest | undefined
  #savepointPath: string | undefined
  #end: AttemptEnd | undefined
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
    this.#start = new StartingPoint(options, this.#store)
    const { graph, clock, slots } = options
    const plan = buildExecutionPlan(graph)
    this.#tasks = new AttemptTasks(plan.subtasks.map(subtask => subtask.id))
    this.#regions = new JobRegions(plan, slots)
    this.#failover = new RegionFailover(this.#failoverPorts(), clock)
    this.#alignment = new AlignmentRounds({
      graph,
      clock,
      send: (slot, order) => this.#regions.tellSlot(slot, order),
    })
    this.over = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  /** Nothing was deployed yet: slots are missing. */
  get isWaiting(): boolean {
    return this.#waiting && !this.#ending
  }

  start(): void {
    this.#starting = this.#begin().catch((error: unknown) => this.#fail(error))
  }

  /** What is not of an attempt that runs is dropped. */
  receive(event: SlotEvent): void {
    if (!this.#regions.hears(event)) return
    try {
      if (event.kind === 'cancelled') this.#regions.stopped(event.region, event.slot)
      else if (event.kind === 'failed') this.#taskFailed(event)
      else if (!this.#ending) this.#take(event)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Ends the sources as soon as all subtasks run; the rest follows from there. */
  stop(request: StopRequest): void {
    if (this.#stopping !== undefined || this.#ending) return
    this.#stopping = request
    if (this.#waiting || this.#failover.isBusy) this.#stopWaiting(request)
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

  async #begin(): Promise<void> {
    const { clock, graph, history, jobId, onNotice, settings } = this.#options
    // T5: taking the generation would end a job that runs.
    await this.#start.refuseEarly()
    const lineage = await this.#store.begin()
    const { parallelism } = graph
    const ordered = this.#start.orderedOther(lineage)
    if (ordered !== undefined) {
      if (!this.#ending) this.#leave(ordered)
      return
    }
    const choice = this.#start.choose(lineage)
    const restored = await this.#start.load(choice)
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
    this.#sources = new SourceCoordinator({
      graph,
      restore: restored?.plan,
      clock,
      send: (slot, order) => this.#regions.tell(`${order.reader.vertexId}/${slot}`, order),
      fail: error => this.#fail(error),
    })
    const peers = await this.#awaitSlots()
    if (peers === undefined) return
    this.#options.onDeployed()
    this.#deploy(this.#regions.all, { number: this.number, restored, peers })
    // Neither is waited for: enumerators may take long to look around.
    void this.#startSources(this.#sources)
    this.#sweeping = this.#sweep(lineage)
  }

  async #startSources(sources: SourceCoordinator): Promise<void> {
    try {
      await sources.start()
      this.#readersKnown = true
      if (this.#running) this.#beginCheckpoints()
    } catch (error) {
      this.#fail(error)
    }
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

  #deploy(regions: Iterable<number>, { number, restored, peers }: Deployment): void {
    const { generation } = this.#store
    for (const region of regions) {
      this.#regions.deploy({ region, attempt: number }, (_slot, subtasks) => {
        const restore = restored && slotRestore(restored, subtasks)
        return { kind: 'deploy', restore, generation, peers }
      })
    }
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
    if (!this.#hasRun) this.#noteRestored()
    this.#hasRun = true
    this.#beginCheckpoints()
    this.#alignment.start()
    this.#options.onRunning()
    if (this.#stopping !== undefined) this.#stopSources(this.#stopping)
  }

  /** Only now is it proven that it could be restored. */
  #noteRestored(): void {
    const { counts, history } = this.#options
    const { restored } = this.#start
    counts.lastCheckpointPath = restored?.path
    if (restored !== undefined) history?.restored(restored.snapshot)
  }

  /** T8 */
  #beginCheckpoints(): void {
    if (!this.#readersKnown || this.#ending) return
    this.#driver?.allRunning(this.#tasks.names)
    if (this.#tasks.all('drained')) this.#allDrained()
  }

  /**
   * What nothing runs of cannot be snapshotted: its last completed checkpoint is where it stopped.
   * A savepoint waits for the slots, too.
   */
  #stopWaiting({ savepoint = false }: StopRequest): void {
    if (!savepoint) void this.#finish({ kind: 'cancelled' })
  }

  #stopSources({ drain = false }: StopRequest): void {
    this.#regions.tellAll({ kind: 'stop-sources', drain })
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
      abort: id => this.#regions.tellAll({ kind: 'abort', checkpointId: id }),
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
        this.#start.completed(kind, progress.id)
        if (kind === 'savepoint') this.#savepointPath = counts.lastCheckpointPath
      },
      cleanupFailed: error => this.#leftBehind(error),
      crashed: error => this.#fail(error),
    }
  }

  #trigger(trigger: Trigger) {
    assert(this.#sources !== undefined, 'T1: enumerators are there before a checkpoint')
    return this.#sources.snapshot(trigger.checkpointId, () =>
      this.#regions.tellAll({ kind: 'trigger', ...trigger }),
    )
  }

  #complete(id: number, final: boolean): void {
    this.#regions.tellAll({ kind: 'complete', checkpointId: id })
    this.#sources?.notifyComplete(id)
    if (!final) return
    assert(this.#tasks.all('drained'), 'T4: the final checkpoint is taken after all input is over')
    this.#regions.tellAll({ kind: 'finish' })
  }

  #taskFailed({ region, failure }: Extract<SlotEvent, { readonly kind: 'failed' }>): void {
    const mayStartAgain =
      this.#regions.all.length > 1 &&
      this.#hasRun &&
      this.#readersKnown &&
      this.#stopping === undefined &&
      this.#driver?.isEnding === false
    if (this.#ending || !mayStartAgain) {
      this.#failWith(failure)
      return
    }
    this.#running = false
    this.#failover.failed(region, failure)
  }

  #failoverPorts(): FailoverPorts {
    const { supply } = this.#options
    return {
      pause: async () => (await this.#driver?.pause('some subtasks start again')) ?? true,
      stop: region => this.#regions.stop(region),
      decide: (failure, regions) => {
        const slots = this.#regions.slotsOf(regions)
        const lastCheckpointId = this.#driver?.lastCompletedId ?? 0
        const scope = { regions: regions.size, of: this.#regions.all.length, slots }
        return this.#options.onRegionsFailed({ ...scope, failure, lastCheckpointId })
      },
      awaitSlots: () => this.#awaitSlots(),
      load: () => this.#start.latest(),
      deploy: (regions, restored) => {
        const peers = supply === undefined ? [] : supply.peers
        const isReady = [...regions].every(region => this.#regions.isIdle(region))
        if (peers === undefined || !isReady) return false
        this.#startAgain(regions, { number: this.#options.nextNumber(), restored, peers })
        return true
      },
      giveUp: (failure, decision) => this.#failWith(failure, decision),
      crashed: error => this.#fail(error),
    }
  }

  #startAgain(regions: ReadonlySet<number>, deployment: Deployment): void {
    const subtasks = this.#regions.subtasksOf(regions)
    const names = subtasks.map(({ id }) => id)
    this.#tasks.startedAgain(names)
    this.#driver?.startedAgain(names)
    this.#sources?.startAgain(subtasks, deployment.restored?.plan)
    this.#deploy(regions, deployment)
  }

  #fail(error: unknown): void {
    this.#failWith(failureReport(error))
  }

  #failWith(failure: FailureReport, decision?: RestartDecision): void {
    const end = this.#end
    if (end === undefined) {
      const lastCheckpointId = this.#driver?.lastCompletedId ?? 0
      const savepointPath = this.#savepointPath
      void this.#finish({ kind: 'failed', failure, lastCheckpointId, savepointPath, decision })
    } else if (end.kind === 'failed') {
      this.#end = { ...end, failure: causeOf(end.failure, failure) }
    }
  }

  /** T3: the next attempt may begin when this resolves. */
  async #finish(end: AttemptEnd): Promise<void> {
    assert(!this.#ending, 'T2: an attempt ends once')
    this.#end = end
    this.#gaveUp.abort()
    this.#failover.close()
    this.#alignment.close()
    const sources = this.#sources?.close()
    const store = this.#driver?.halt(end.kind === 'finished' ? 'the job is over' : 'the job failed')
    const settlement = end.kind === 'cancelled' ? this.#driver?.settlement : undefined
    if (end.kind !== 'finished') {
      const { all } = this.#regions
      await Promise.all(all.map(region => this.#regions.stop(region, settlement)))
    }
    await Promise.all([sources, store])
    await this.#starting
    await this.#sweeping
    await this.#noting
    this.#resolve(this.#end)
  }

  get #ending(): boolean {
    return this.#end !== undefined
  }
}
