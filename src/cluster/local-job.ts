/**
 * Runs a job in this process: one JobMaster and one TaskExecutor per slot, joined by messages as
 * they will be across processes.
 *
 * Owns        putting the parts together.
 * Leaves out  all of the work: `jobmanager/`, `taskmanager/`, `runtime/`.
 */
import type { Clock } from '../common/clock.ts'
import { type Logger, silentLogger } from '../common/logger.ts'
import type { Random } from '../common/random.ts'
import { buildExecutionPlan } from '../graph/execution-plan.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import { SlotLoop } from '../runtime/slot-loop.ts'
import type { TaskMetrics } from '../runtime/task-contract.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { openStore } from '../storage/open-store.ts'
import type { JobProgress } from './job-progress.ts'
import type { JobNotice, JobResult } from './job-result.ts'
import type { JobSettings, RestoreRequest } from './job-settings.ts'
import { JobHistory } from './jobmanager/job-history.ts'
import { JobMaster } from './jobmanager/job-master.ts'
import type { StopRequest } from './jobmanager/job-master-options.ts'
import { LocalExchanges } from './local-exchanges.ts'
import { ProgressMeter } from './progress-meter.ts'
import { progressOf } from './progress-of.ts'
import type { SlotEvent, SlotGateway } from './slot-messages.ts'
import { makeTaskStarter } from './taskmanager/make-task-starter.ts'
import { TaskExecutor } from './taskmanager/task-executor.ts'
import { UserCounters } from './user-counters.ts'

export type { JobNotice, JobResult } from './job-result.ts'

export interface LocalJobOptions {
  readonly graph: JobGraph
  /** Names the job's folder in the store: the same for every run of a job. See `jobIdOf`. */
  readonly jobId: string
  /**
   * Where checkpoints go. `undefined`: none are taken, a failure ends the job, and sinks commit
   * once, at the end.
   */
  readonly store: ObjectStore | undefined
  readonly restore: RestoreRequest
  /** Names this start of the job; default: a random name. See `JobMasterOptions`. */
  readonly run?: string
  /** Of a manifest: `settingsOf(manifest.spec)`; else `defaultSettings`. */
  readonly settings: JobSettings
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  readonly onNotice?: (notice: JobNotice) => void
}

export interface LocalJob {
  /** Never rejects: a failed job is a result. */
  readonly done: Promise<JobResult>
  /**
   * Ends the sources, takes a last snapshot, commits, ends; resolves at the job's end. Windows do
   * not fire early, unless it drains. With a savepoint it rejects where the job goes on instead.
   */
  stop(request?: StopRequest): Promise<JobResult>
  /** Ends at once, without a checkpoint. */
  cancel(): void
  /** Takes a savepoint of the running job; resolves to its path. */
  savepoint(): Promise<string>
  progress(): JobProgress
}

/** With what user functions counted, and what people look at. */
export interface CountedLocalJob extends LocalJob {
  readonly counters: UserCounters
  readonly history: JobHistory
  /** The figures of the running attempt's subtasks. */
  tasks(): readonly TaskMetrics[]
}

/** Starts the job and returns at once; errors of starting (a refused restore) are results too. */
export function runLocalJob(options: LocalJobOptions): CountedLocalJob {
  const { graph, clock } = options
  const meter = new ProgressMeter(graph, clock)
  const counters = new UserCounters()
  const history = new JobHistory(clock)
  const executors: TaskExecutor[] = []
  const gateways = Array.from(
    { length: buildExecutionPlan(graph).slots },
    (_, slot): SlotGateway => {
      return { send: command => executors[slot]?.handle(command) }
    },
  )
  const master = makeMaster(options, gateways, history)
  const tasks = (): readonly TaskMetrics[] => executors.flatMap(executor => executor.metrics)
  const report = (event: SlotEvent): void => master.receive(event)
  executors.push(...makeExecutors(options, { meter, counters, report }))
  master.start()
  void master.done.then(() => meter.end())
  return {
    done: master.done,
    stop: request => master.stop(request),
    cancel: () => master.cancel(),
    savepoint: () => master.savepoint(),
    counters,
    history,
    tasks,
    progress: () => progressOf(master, meter, tasks()),
  }
}

function makeMaster(
  options: LocalJobOptions,
  slots: readonly SlotGateway[],
  history: JobHistory,
): JobMaster {
  const { graph, jobId, restore, clock, random, onNotice } = options
  const run = options.run ?? random.uuid()
  const store = options.store ?? new MemoryStore()
  return new JobMaster({
    graph,
    jobId,
    store,
    storeAt: storeOpener(store, random),
    restore,
    run,
    settings: options.store === undefined ? withoutCheckpoints(options.settings) : options.settings,
    clock,
    random,
    slots,
    history,
    onNotice: onNotice ?? (() => {}),
  })
}

function makeExecutors(
  options: LocalJobOptions,
  ports: {
    readonly meter: ProgressMeter
    readonly counters: UserCounters
    readonly report: (event: SlotEvent) => void
  },
): readonly TaskExecutor[] {
  const { graph, jobId, store, settings, clock, random, logger = silentLogger } = options
  const plan = buildExecutionPlan(graph)
  const exchanges = new LocalExchanges()
  // One thread: all slots share a loop, so that tasks further downstream run first in any of them.
  const loop = SlotLoop.running(clock)
  const startTask = makeTaskStarter({
    graph,
    jobId,
    loop,
    exchanges,
    settings,
    keepsState: store !== undefined,
    clock,
    random,
    logger,
    counters: ports.counters,
  })
  return Array.from({ length: plan.slots }, (_, slot) => {
    return new TaskExecutor({
      slot,
      jobId,
      plan,
      store,
      storeAt: storeOpener(store ?? new MemoryStore(), random),
      startTask,
      retire: tasks => ports.meter.retire(tasks),
      report: ports.report,
    })
  })
}

/** Without a store nothing could be restored: a failure is the end. */
function withoutCheckpoints(settings: JobSettings): JobSettings {
  return {
    ...settings,
    checkpoint: { ...settings.checkpoint, alignment: { kind: 'aligned' }, intervalMs: undefined },
    restart: { ...settings.restart, strategy: 'none' },
  }
}

/** A checkpoint of another place is read from there; writes go to the job's own store only. */
function storeOpener(own: ObjectStore, random: Random): (location: string) => ObjectStore {
  return location =>
    location === own.location ? own : openStore({ location, folder: '/', random })
}
