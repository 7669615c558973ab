/**
 * A jobmanager: runs one job on taskmanagers that come and go.
 *
 * Owns        putting the JobMaster, the registry of slots and the control server together.
 * Leaves out  the REST API (`rest/`), and who starts the processes: after a rescale the job waits
 *             for its slots as it does at its start.
 */
import type { Clock } from '../../common/clock.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { buildExecutionPlan } from '../../graph/execution-plan.ts'
import { failoverRegions } from '../../graph/failover-regions.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import type { Registration, ToJobManager } from '../../protocol/control-messages.ts'
import type { TlsSettings } from '../../runtime/network/peer-socket.ts'
import type { TaskMetrics } from '../../runtime/task-contract.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { openStore } from '../../storage/open-store.ts'
import { addStoreCounters, type StoreCounters } from '../../storage/store-counters.ts'
import type { ConnectionEnd } from '../control/control-connection.ts'
import { ControlThread } from '../control/control-thread.ts'
import type { StartControlThread } from '../control/control-thread-messages.ts'
import type { HeartbeatTimes } from '../control/heartbeat-watch.ts'
import { errorOf } from '../failure-report.ts'
import { graphDigest, type JobBundle } from '../job-bundle.ts'
import type { JobProgress } from '../job-progress.ts'
import type { JobNotice, JobResult } from '../job-result.ts'
import type { JobSettings, RestoreRequest } from '../job-settings.ts'
import { ProgressMeter } from '../progress-meter.ts'
import { progressOf } from '../progress-of.ts'
import type { FailureReport, SlotEvent } from '../slot-messages.ts'
import type { UserCounters } from '../user-counters.ts'
import { type ControlDesk, receive } from './control-reception.ts'
import { JobHistory } from './job-history.ts'
import { JobMaster } from './job-master.ts'
import type { JobShape, RescaleOrder, StopRequest } from './job-master-options.ts'
import type { SteerableJob, TaskManagerView } from './rest/observed-job.ts'
import { SlotLedger } from './slot-ledger.ts'
import { type SlotLink, SlotRegistry } from './slot-registry.ts'

export interface JobManagerOptions {
  readonly graph: JobGraph
  /** Plans the same job for other slots. Keeps maxParallelism. */
  readonly planAt: (parallelism: number) => JobGraph
  readonly bundle: JobBundle
  readonly args: Readonly<Record<string, string>>
  readonly jobId: string
  readonly store: ObjectStore
  readonly restore: RestoreRequest
  /** See `JobMasterOptions`. */
  readonly run: string
  readonly settings: JobSettings
  /** The job begins with `begin`, not with `start`. */
  readonly isWarm: boolean
  /** Where taskmanagers dial. */
  readonly listen: string
  readonly secret: Buffer
  readonly tls: TlsSettings | undefined
  /** Of Weir. */
  readonly version: string
  readonly times: HeartbeatTimes
  readonly slotTimeoutMs: number
  readonly startControlThread: StartControlThread
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onNotice: (notice: JobNotice) => void
  /** So many slots are needed from now on. */
  readonly onSlots: (slots: number) => void
  /** A process was given up that may still live. */
  readonly onSilent: (slot: number, pid: number) => void
}

/** A process that is told to end is given not much longer. */
const LAST_CHECKPOINT_LIMIT_MS = 5_000

export class JobManager implements ControlDesk, SteerableJob {
  readonly history: JobHistory
  readonly #options: JobManagerOptions
  readonly #meter: ProgressMeter
  readonly #ledger: SlotLedger
  readonly #master: JobMaster
  #graph: JobGraph
  #registry: SlotRegistry
  #hasBegun = false
  #control: ControlThread | undefined
  #address: string | undefined

  constructor(options: JobManagerOptions) {
    const { graph, clock, random, store, onNotice } = options
    this.#options = options
    this.history = new JobHistory(clock)
    this.#meter = new ProgressMeter(graph, clock)
    this.#ledger = new SlotLedger(this.#meter)
    this.#graph = graph
    this.#registry = this.#registryOf(graph)
    this.#master = new JobMaster({
      graph,
      jobId: options.jobId,
      store,
      storeAt: location =>
        location === store.location ? store : openStore({ location, folder: '/', random }),
      restore: options.restore,
      run: options.run,
      settings: options.settings,
      clock,
      random,
      slots: this.#registry.gateways,
      supply: this.#registry.supply,
      rescaling: {
        plan: options.planAt,
        provide: next => this.#reshape(next),
        expect: next => this.#expect(next),
      },
      history: this.history,
      onNotice,
    })
  }

  /** Never rejects: a failed job is a result. */
  get done(): Promise<JobResult> {
    return this.#master.done
  }

  get counters(): UserCounters {
    return this.#ledger.counters
  }

  /** Of this process and of all slots; `undefined` for a store that no network leads to. */
  get storage(): StoreCounters | undefined {
    const own = this.#options.store.counters
    return own && addStoreCounters(own, this.#ledger.storage)
  }

  /** Where taskmanagers dial. */
  get address(): string {
    return this.#address ?? this.#options.listen
  }

  /** Rejects when it cannot listen; then nothing was started. */
  async start(): Promise<void> {
    const { jobId, listen, secret, tls, version, times, clock, logger } = this.#options
    const end = { kind: 'listener', address: listen } as const
    this.#control = new ControlThread({
      settings: { end, jobId, secret, tls, version, times },
      start: this.#options.startControlThread,
      clock,
      accept: line => receive(line, this, logger),
      refused: error => logger.warn({ err: error }, 'a connection was refused'),
    })
    try {
      this.#address = await this.#control.address
    } catch (error) {
      await this.#control.end()
      throw error
    }
    void this.done.then(() => this.#meter.end())
    if (!this.#options.isWarm) this.begin()
  }

  /**
   * Up to here taskmanagers come and load the job, and nothing is read from the store or written to
   * it: the deployment before may be at work. Told again it does nothing.
   */
  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this.#master.start()
  }

  /** After the job's end: lets the taskmanagers go. */
  async close(): Promise<void> {
    this.#registry.dismiss()
    await this.#control?.end()
  }

  /** Leaves job and taskmanagers to another jobmanager. */
  async leave(): Promise<void> {
    this.#control?.dropAll()
    await this.#control?.end()
  }

  /** See `JobMaster.stop`. */
  stop(request?: StopRequest): Promise<JobResult> {
    return this.#master.stop(request)
  }

  cancel(): void {
    this.#master.cancel()
  }

  /** See `JobMaster.rescale`. The job then waits until its slots are there. */
  rescale(parallelism: number): Promise<RescaleOrder> {
    return this.#master.rescale(parallelism)
  }

  /** As it is now: a rescale changes it. */
  get graph(): JobGraph {
    return this.#graph
  }

  /** It was stopped or cancelled: what runs still will end. */
  get isEnding(): boolean {
    return this.#master.isEnding
  }

  /** Takes a checkpoint before somebody leaves; gives up where that takes long. */
  lastCheckpoint(): Promise<void> {
    return new Promise(resolve => {
      const limit = this.#options.clock.schedule(LAST_CHECKPOINT_LIMIT_MS, resolve)
      const over = (): void => {
        limit.cancel()
        resolve()
      }
      this.#master.checkpoint().then(over, over)
    })
  }

  savepoint(): Promise<string> {
    return this.#master.savepoint()
  }

  tasks(): readonly TaskMetrics[] {
    return this.#ledger.tasks
  }

  taskManagers(): readonly TaskManagerView[] {
    return this.#registry.views.map(view => {
      const figures = this.#ledger.process(view.slot)
      const { residentBytes = null, cpuSeconds = null, network = null } = figures ?? {}
      return { ...view, residentBytes, cpuSeconds, network }
    })
  }

  progress(): JobProgress {
    const progress = progressOf(this.#master, this.#meter, this.tasks())
    if (this.#isWarm(progress)) return { ...progress, status: 'warm' }
    const { waitingMs } = this.#registry
    if (waitingMs === undefined) return progress
    return { ...progress, waiting: { slots: this.#registry.missing, sinceMs: waitingMs } }
  }

  register(registration: Registration, link: SlotLink): void {
    const standing = this.#registry.register(registration, link)
    const { slot, host, pid } = registration
    this.#options.logger.info({ slot, host, pid, standing }, 'a taskmanager has come')
    if (standing === 'spare') {
      link.send({ kind: 'spare' })
      return
    }
    const graph = this.#graph
    const { args, bundle, jobId, settings, store, times } = this.#options
    const hasIt = registration.digest === bundle.digest
    link.send({
      kind: 'job',
      jobId,
      name: graph.name,
      parallelism: graph.parallelism,
      maxParallelism: graph.maxParallelism,
      args: { ...args },
      settings: { ...settings },
      storeLocation: store.address ?? store.location,
      digest: bundle.digest,
      code: hasIt ? null : bundle.code,
      sourceMap: hasIt ? null : bundle.sourceMap,
      heartbeatIntervalMs: times.intervalMs,
      heartbeatTimeoutMs: times.timeoutMs,
    })
  }

  take(link: SlotLink, message: Exclude<ToJobManager, Registration>): void {
    switch (message.kind) {
      case 'prepared':
        this.#prepared(link, message.graphDigest)
        break
      case 'unprepared':
        // Before a rescale it may have been given another job.
        if (this.#registry.slotOf(link) === undefined) break
        this.#master.fail(errorOf(message.failure as FailureReport))
        break
      case 'event':
        this.#registry.receive(link, message.event as unknown as SlotEvent)
        break
      case 'heartbeat':
        this.#registry.heartbeat(link, message.blockedMs)
        break
      case 'unheard':
        this.#registry.unheard(link, message)
        break
      case 'figures': {
        const slot = this.#registry.slotOf(link)
        if (slot !== undefined) this.#ledger.heard(slot, message.figures)
        break
      }
      case 'leaving':
        void this.#letGo(link)
        break
    }
  }

  lost(link: SlotLink, end: ConnectionEnd): void {
    const slot = this.#registry.slotOf(link)
    const pid = slot === undefined ? null : this.#registry.views[slot]?.pid
    if (slot !== undefined) this.#options.logger.warn({ slot, how: end.how }, 'a slot is lost')
    this.#registry.lost(link, end.how)
    if (end.cause === 'silent' && slot !== undefined && pid) this.#options.onSilent(slot, pid)
  }

  /** All slots are ready, and the order to begin is waited for. */
  #isWarm({ status }: JobProgress): boolean {
    return !this.#hasBegun && status === 'starting' && this.#registry.missing.length === 0
  }

  #registryOf(graph: JobGraph): SlotRegistry {
    const { clock, jobId, onNotice, onSilent, settings, slotTimeoutMs } = this.#options
    const { slots, subtasks } = buildExecutionPlan(graph)
    const tasksOf = (slot: number): number => subtasks.filter(one => one.index === slot).length
    return new SlotRegistry({
      jobId,
      tasks: Array.from({ length: slots }, (_, slot) => tasksOf(slot)),
      slotsMax: Math.max(slots, graph.maxParallelism),
      graphDigest: graphDigest(graph),
      clock,
      slotTimeoutMs,
      silenceMs: settings.network.silenceMs,
      receive: event => this.#receive(event),
      onNotice,
      onLost: slot => this.#ledger.lost(slot),
      onSilent,
    })
  }

  /** Taskmanagers come again, and hear of the other parallelism as they would of a new job. */
  #reshape(graph: JobGraph): JobShape {
    this.#registry.dropAll()
    this.#graph = graph
    this.#meter.rescaled(graph)
    this.#registry = this.#registryOf(graph)
    const { gateways: slots, supply } = this.#registry
    this.#options.onSlots(slots.length)
    return { graph, slots, supply }
  }

  /** Processes that a rescale adds may come before it; those that it takes away must stay. */
  #expect(next: JobGraph | undefined): void {
    const slots = this.#registry.gateways.length
    const expected = next === undefined ? 0 : buildExecutionPlan(next).slots
    this.#options.onSlots(Math.max(slots, expected))
  }

  #prepared(link: SlotLink, digest: string): void {
    try {
      this.#registry.prepared(link, digest)
      this.#options.logger.info({ slot: this.#registry.slotOf(link) }, 'a slot is ready')
    } catch (error) {
      this.#master.fail(error)
      throw error
    }
  }

  #receive(event: SlotEvent): void {
    if (event.kind === 'cancelled') this.#ledger.retire(event.slot, this.#verticesOf(event))
    this.#master.receive(event)
  }

  /** Of the region, in the slot: all others go on there. */
  #verticesOf({ region, slot }: SlotEvent): ReadonlySet<string> {
    const subtasks = failoverRegions(buildExecutionPlan(this.#graph))[region]?.subtasks ?? []
    const here = subtasks.filter(({ index }) => index === slot)
    return new Set(here.map(({ vertex }) => vertex.id))
  }

  /** What was processed up to here need not be processed again by who takes the slot. */
  async #letGo(link: SlotLink): Promise<void> {
    if (this.#registry.isSpare(link)) link.send({ kind: 'dismissed' })
    const slot = this.#registry.leaving(link)
    if (slot === undefined) return
    const text = `slot ${slot} was told to leave: taking a checkpoint before it goes`
    this.#options.onNotice({ level: 'info', text })
    await this.lastCheckpoint()
    // A job that ends lets all slots go when it is over.
    if (!this.isEnding) link.send({ kind: 'dismissed' })
  }
}
