/**
 * Runs a job in this process: to look at it, to steer it, and to move it to another parallelism.
 *
 * Owns        which deployment of the job runs.
 * Leaves out  what a deployment is made of (`local-deployment.ts`).
 *
 * Invariants
 *  L1  One deployment runs at a time: the next begins after the one before has stopped.
 *  L2  The job's result is that of its last deployment.
 */
import { assert } from '../common/assert.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { TaskMetrics } from '../runtime/task-contract.ts'
import { clusterErrors } from './cluster-errors.ts'
import type { JobProgress } from './job-progress.ts'
import type { JobResult } from './job-result.ts'
import { JobHistory } from './jobmanager/job-history.ts'
import { emptyCounts, type StopRequest } from './jobmanager/job-master-options.ts'
import { LocalDeployment, type SharedParts } from './local-deployment.ts'
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
   * Goes on at another parallelism, after a last checkpoint; resolves when it is starting there.
   * Rejects where it cannot: WEIR_RESCALE_REFUSED.
   */
  rescale(parallelism: number): Promise<void>
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
  readonly #options: LocalJobOptions
  readonly #shared: SharedParts
  #resolve: (result: JobResult) => void = () => {}
  #deployment: LocalDeployment
  #restartsBefore = 0
  /** What to deploy when the running one has stopped; withdrawn by any other order. */
  #next: JobGraph | undefined

  constructor(options: LocalJobOptions) {
    const { graph, clock, random } = options
    this.#options = options
    this.#shared = {
      run: options.run ?? random.uuid(),
      meter: new ProgressMeter(graph, clock),
      counters: new UserCounters(),
      history: new JobHistory(clock),
      counts: emptyCounts(),
    }
    this.done = new Promise(resolve => {
      this.#resolve = resolve
    })
    this.#deployment = this.#deploy(graph)
  }

  get graph(): JobGraph {
    return this.#deployment.graph
  }

  get counters(): UserCounters {
    return this.#shared.counters
  }

  get history(): JobHistory {
    return this.#shared.history
  }

  tasks(): readonly TaskMetrics[] {
    return this.#deployment.tasks
  }

  stop(request?: StopRequest): Promise<JobResult> {
    this.#next = undefined
    return this.#deployment.master.stop(request)
  }

  cancel(): void {
    this.#next = undefined
    this.#deployment.master.cancel()
  }

  savepoint(): Promise<string> {
    return this.#deployment.master.savepoint()
  }

  async rescale(parallelism: number): Promise<void> {
    const refuse = (reason: string): Error =>
      clusterErrors.WEIR_RESCALE_REFUSED({ parallelism, reason })
    const { planAt, store } = this.#options
    const { master, graph } = this.#deployment
    if (parallelism === graph.parallelism) return
    if (planAt === undefined || store === undefined) throw refuse('it keeps no state to move')
    if (master.status !== 'running') throw refuse(`it is ${master.status}`)
    if (parallelism > graph.maxParallelism) {
      throw refuse(`spec.maxParallelism is ${graph.maxParallelism}`)
    }
    const next = planAt(parallelism)
    this.#next = next
    const { outcome } = await master.stop()
    if (this.#deployment.graph !== next) throw refuse(`it ${outcome} before`)
  }

  progress(): JobProgress {
    const { master, tasks } = this.#deployment
    return {
      ...progressOf(master, this.#shared.meter, tasks),
      status: this.#next === undefined ? master.status : 'restarting',
      restarts: this.#restartsBefore + master.restarts,
    }
  }

  #deploy(graph: JobGraph): LocalDeployment {
    const deployment = new LocalDeployment(this.#options, graph, this.#shared)
    void deployment.master.done.then(result => this.#ended(deployment, result))
    deployment.master.start()
    return deployment
  }

  #ended(deployment: LocalDeployment, result: JobResult): void {
    assert(deployment === this.#deployment, 'L1: one deployment runs at a time')
    const next = this.#next
    this.#next = undefined
    if (next !== undefined && result.outcome === 'stopped') {
      this.#restartsBefore += deployment.master.restarts
      this.#shared.meter.retire(deployment.tasks)
      this.#shared.meter.rescaled(next)
      this.#say(`goes on at parallelism ${next.parallelism}`)
      this.#deployment = this.#deploy(next)
      return
    }
    this.#shared.meter.end()
    this.#resolve({ ...result, restarts: this.#restartsBefore + result.restarts })
  }

  #say(text: string): void {
    this.#options.onNotice?.({ level: 'info', text })
  }
}
