/**
 * The slots of a job in this process, at one parallelism: a TaskExecutor each, in one thread.
 *
 * Owns        putting them together.
 * Leaves out  all of the work: `taskmanager/`, `runtime/`.
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
import type { JobShape } from './jobmanager/job-master-options.ts'
import { LocalExchanges } from './local-exchanges.ts'
import type { LocalJobOptions } from './local-job-options.ts'
import type { ProgressMeter } from './progress-meter.ts'
import type { SlotEvent, SlotGateway } from './slot-messages.ts'
import { makeTaskStarter } from './taskmanager/make-task-starter.ts'
import { TaskExecutor } from './taskmanager/task-executor.ts'
import type { UserCounters } from './user-counters.ts'

/** What goes on over a rescale. */
export interface SharedParts {
  readonly meter: ProgressMeter
  readonly counters: UserCounters
  readonly report: (event: SlotEvent) => void
}

export class LocalDeployment implements JobShape {
  readonly graph: JobGraph
  readonly slots: readonly SlotGateway[]
  readonly #executors: readonly TaskExecutor[]

  constructor(options: LocalJobOptions, graph: JobGraph, shared: SharedParts) {
    this.graph = graph
    this.#executors = makeExecutors(options, graph, shared)
    this.slots = this.#executors.map(executor => ({ send: command => executor.handle(command) }))
  }

  /** The figures of the tasks that run now. */
  get tasks(): readonly TaskMetrics[] {
    return this.#executors.flatMap(executor => executor.metrics)
  }
}

function makeExecutors(
  options: LocalJobOptions,
  graph: JobGraph,
  { meter, counters, report }: SharedParts,
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
    counters,
  })
  return Array.from({ length: plan.slots }, (_, slot) => {
    return new TaskExecutor({
      slot,
      jobId,
      plan,
      store,
      storeAt: storeOpener(store ?? new MemoryStore(), random),
      startTask,
      retire: tasks => meter.retire(tasks),
      report,
    })
  })
}

/** A checkpoint of another place is read from there; writes go to the job's own store only. */
export function storeOpener(own: ObjectStore, random: Random): (location: string) => ObjectStore {
  return location =>
    location === own.location ? own : openStore({ location, folder: '/', random })
}
