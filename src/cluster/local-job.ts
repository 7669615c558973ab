/**
 * Runs a job in this process: to look at it, to steer it, and to move it to another parallelism.
 *
 * Owns        putting a JobMaster and its slots together, joined by messages as across processes.
 * Leaves out  the slots (`local-deployment.ts`), and what is ordered (`jobmanager/`).
 */
import type { JobGraph } from '../graph/job-graph.ts'
import type { TaskMetrics } from '../runtime/task-contract.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import type { JobProgress } from './job-progress.ts'
import type { JobResult } from './job-result.ts'
import type { JobSettings } from './job-settings.ts'
import { JobHistory } from './jobmanager/job-history.ts'
import { JobMaster } from './jobmanager/job-master.ts'
import type {
  JobShape,
  RescaleOrder,
  Rescaling,
  StopRequest,
} from './jobmanager/job-master-options.ts'
import { LocalDeployment, storeOpener } from './local-deployment.ts'
import type { LocalJobOptions } from './local-job-options.ts'
import { ProgressMeter } from './progress-meter.ts'
import { progressOf } from './progress-of.ts'
import { UserCounters } from './user-counters.ts'

export type { JobNotice, JobResult } from './job-result.ts'
export type { LocalJobOptions } from './local-job-options.ts'

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
  /**
   * Goes on at another parallelism, from a checkpoint that is taken first. Resolves when the order
   * holds, `begun` when the job is starting there. Rejects where it cannot: WEIR_RESCALE_REFUSED.
   */
  rescale(parallelism: number): Promise<RescaleOrder>
  progress(): JobProgress
}

/** With what user functions counted, and what people look at. */
export interface CountedLocalJob extends LocalJob {
  /** As it is now: a rescale changes it. */
  readonly graph: JobGraph
  readonly counters: UserCounters
  readonly history: JobHistory
  /** The figures of the running attempt's subtasks. */
  tasks(): readonly TaskMetrics[]
}

/** Starts the job and returns at once; errors of starting (a refused restore) are results too. */
export function runLocalJob(options: LocalJobOptions): CountedLocalJob {
  const job = new RunningLocalJob(options)
  // A plain object: callers add to it and replace parts of it.
  return {
    done: job.done,
    stop: request => job.stop(request),
    cancel: () => job.cancel(),
    savepoint: () => job.savepoint(),
    rescale: parallelism => job.rescale(parallelism),
    progress: () => job.progress(),
    tasks: () => job.tasks(),
    counters: job.counters,
    history: job.history,
    get graph() {
      return job.graph
    },
  }
}

class RunningLocalJob implements CountedLocalJob {
  readonly done: Promise<JobResult>
  readonly counters = new UserCounters()
  readonly history: JobHistory
  readonly #options: LocalJobOptions
  readonly #meter: ProgressMeter
  readonly #master: JobMaster
  #deployment: LocalDeployment

  constructor(options: LocalJobOptions) {
    const { graph, clock } = options
    this.#options = options
    this.#meter = new ProgressMeter(graph, clock)
    this.history = new JobHistory(clock)
    this.#deployment = this.#deploy(graph)
    this.#master = this.#makeMaster()
    this.done = this.#master.done
    void this.done.then(() => this.#meter.end())
    this.#master.start()
  }

  get graph(): JobGraph {
    return this.#deployment.graph
  }

  tasks(): readonly TaskMetrics[] {
    return this.#deployment.tasks
  }

  stop(request?: StopRequest): Promise<JobResult> {
    return this.#master.stop(request)
  }

  cancel(): void {
    this.#master.cancel()
  }

  savepoint(): Promise<string> {
    return this.#master.savepoint()
  }

  rescale(parallelism: number): Promise<RescaleOrder> {
    return this.#master.rescale(parallelism)
  }

  progress(): JobProgress {
    return progressOf(this.#master, this.#meter, this.#deployment.tasks)
  }

  #deploy(graph: JobGraph): LocalDeployment {
    return new LocalDeployment(this.#options, graph, {
      meter: this.#meter,
      counters: this.counters,
      report: event => this.#master.receive(event),
    })
  }

  #makeMaster(): JobMaster {
    const { jobId, restore, clock, random, onNotice, planAt, run, settings } = this.#options
    const store = this.#options.store ?? new MemoryStore()
    const { graph, slots } = this.#deployment
    const keepsState = this.#options.store !== undefined
    return new JobMaster({
      graph,
      slots,
      jobId,
      store,
      storeAt: storeOpener(store, random),
      restore,
      run: run ?? random.uuid(),
      settings: keepsState ? settings : withoutCheckpoints(settings),
      clock,
      random,
      rescaling: keepsState && planAt ? this.#rescaling(planAt) : undefined,
      history: this.history,
      onNotice: onNotice ?? (() => {}),
    })
  }

  #rescaling(plan: (parallelism: number) => JobGraph): Rescaling {
    const provide = (graph: JobGraph): JobShape => {
      this.#meter.rescaled(graph)
      this.#deployment = this.#deploy(graph)
      return this.#deployment
    }
    return { plan, provide }
  }
}

/** Without a store nothing could be restored: a failure is the end. */
function withoutCheckpoints(settings: JobSettings): JobSettings {
  return {
    ...settings,
    checkpoint: { ...settings.checkpoint, alignment: { kind: 'aligned' }, intervalMs: undefined },
    restart: { ...settings.restart, strategy: 'none' },
  }
}
