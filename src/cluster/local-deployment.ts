/**
 * A job's graph at work in this process: one JobMaster and one TaskExecutor per slot, joined by
 * messages as they are across processes.
 *
 * Owns        putting the parts together for one parallelism.
 * Leaves out  all of the work: `jobmanager/`, `taskmanager/`, `runtime/`.
 */
import { silentLogger } from '../common/logger.ts'
import type { Random } from '../common/random.ts'
import { buildExecutionPlan } from '../graph/execution-plan.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import { SlotLoop } from '../runtime/slot-loop.ts'
import type { TaskMetrics } from '../runtime/task-contract.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { openStore } from '../storage/open-store.ts'
import type { JobSettings } from './job-settings.ts'
import type { JobHistory } from './jobmanager/job-history.ts'
import { JobMaster } from './jobmanager/job-master.ts'
import type { JobCounts } from './jobmanager/job-master-options.ts'
import { LocalExchanges } from './local-exchanges.ts'
import type { LocalJobOptions } from './local-job-options.ts'
import type { ProgressMeter } from './progress-meter.ts'
import type { SlotEvent, SlotGateway } from './slot-messages.ts'
import { makeTaskStarter } from './taskmanager/make-task-starter.ts'
import { TaskExecutor } from './taskmanager/task-executor.ts'
import type { UserCounters } from './user-counters.ts'

/** What goes on over a rescale. */
export interface SharedParts {
  readonly run: string
  readonly meter: ProgressMeter
  readonly counters: UserCounters
  readonly history: JobHistory
  readonly counts: JobCounts
}

export class LocalDeployment {
  readonly graph: JobGraph
  readonly master: JobMaster
  readonly #executors: readonly TaskExecutor[]

  constructor(options: LocalJobOptions, graph: JobGraph, shared: SharedParts) {
    this.graph = graph
    const slots = Array.from(
      { length: buildExecutionPlan(graph).slots },
      (_, slot): SlotGateway => ({ send: command => this.#executors[slot]?.handle(command) }),
    )
    this.master = makeMaster(options, { graph, slots, shared })
    const report = (event: SlotEvent): void => this.master.receive(event)
    this.#executors = makeExecutors(options, { graph, shared, report })
  }

  /** The figures of the tasks that run now. */
  get tasks(): readonly TaskMetrics[] {
    return this.#executors.flatMap(executor => executor.metrics)
  }
}

interface MasterParts {
  readonly graph: JobGraph
  readonly slots: readonly SlotGateway[]
  readonly shared: SharedParts
}

function makeMaster(options: LocalJobOptions, { graph, slots, shared }: MasterParts): JobMaster {
  const { jobId, restore, clock, random, onNotice } = options
  const { run, history, counts } = shared
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
    counts,
    onNotice: onNotice ?? (() => {}),
  })
}

interface ExecutorParts {
  readonly graph: JobGraph
  readonly shared: SharedParts
  readonly report: (event: SlotEvent) => void
}

function makeExecutors(
  options: LocalJobOptions,
  { graph, shared, report }: ExecutorParts,
): readonly TaskExecutor[] {
  const { jobId, store, settings, clock, random, logger = silentLogger } = options
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
    counters: shared.counters,
  })
  return Array.from({ length: plan.slots }, (_, slot) => {
    return new TaskExecutor({
      slot,
      jobId,
      plan,
      store,
      storeAt: storeOpener(store ?? new MemoryStore(), random),
      startTask,
      retire: tasks => shared.meter.retire(tasks),
      report,
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
