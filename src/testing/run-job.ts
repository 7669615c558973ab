/**
 * Runs a whole job in this process, for tests of jobs: the engine of `weir run`, with time,
 * randomness and storage passed in.
 */
import type { Job } from '../api/job.ts'
import { jobIdOf } from '../cluster/job-id.ts'
import {
  type CheckpointSettings,
  defaultSettings,
  type RestartSettings,
  type RestoreRequest,
} from '../cluster/job-settings.ts'
import { type JobNotice, type JobResult, type LocalJob, runLocalJob } from '../cluster/local-job.ts'
import type { UserCounters } from '../cluster/user-counters.ts'
import { type Clock, SystemClock } from '../common/clock.ts'
import { type Duration, durationMs } from '../common/duration.ts'
import { SeededRandom } from '../common/random.ts'
import { planJob } from '../graph/build-job-graph.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** How a job is run in a test. Everything may be left out. */
export interface RunJobOptions {
  readonly args?: Readonly<Record<string, string>>
  /** Default 1. */
  readonly parallelism?: number
  /** Number of key groups; as Flink derives it from the parallelism if absent. */
  readonly maxParallelism?: number
  /** Absent: no checkpoint but the last one. */
  readonly checkpointEvery?: Duration
  /** Further settings of checkpoints. */
  readonly checkpoint?: Partial<CheckpointSettings>
  /** Default: up to three restarts, without delay. */
  readonly restart?: Partial<RestartSettings>
  /** Where checkpoints go: pass the same store to a second run to restore. Default: a new one. */
  readonly store?: ObjectStore
  /** `latest`, or the path of a checkpoint or savepoint. */
  readonly restore?: string
  readonly dropState?: readonly string[]
  /** Another job, whose savepoint is restored: its id, such as `default.test`. */
  readonly fromJob?: string
  /** A `ManualClock` stands still until the test lets it go on. Default: the machine's. */
  readonly clock?: Clock
  /** Of everything random in the engine. Default 1. */
  readonly seed?: number
  /** Default `test`. */
  readonly name?: string
}

/** A job that was started and may be stopped, cancelled or watched. */
export interface RunningJob extends LocalJob {
  readonly counters: UserCounters
  /** What a person at a terminal would have been told. */
  readonly notices: readonly JobNotice[]
}

/** A job that came to its end. */
export interface FinishedJob extends JobResult {
  readonly counters: UserCounters
  readonly notices: readonly JobNotice[]
}

const restartAtOnce: RestartSettings = {
  strategy: 'fixed-delay',
  initialDelayMs: 0,
  maxDelayMs: 0,
  attempts: 3,
  resetAfterMs: 3_600_000,
}

/** Of starts: the seed is the same for several. */
let starts = 0

/** Starts a job and returns at once: to stop it, take savepoints, or move a manual clock. */
export function startJob(job: Job, options: RunJobOptions = {}): RunningJob {
  const { args = {}, parallelism = 1, name = 'test', maxParallelism } = options
  const plan = (slots: number, groups: number | undefined): JobGraph =>
    planJob(job, {
      name,
      args,
      parallelism: slots,
      ...(groups === undefined ? {} : { maxParallelism: groups }),
    })
  const graph = plan(parallelism, maxParallelism)
  const { checkpointEvery, clock = new SystemClock(), seed = 1 } = options
  const notices: JobNotice[] = []
  starts++
  const running = runLocalJob({
    run: `start-${starts}`,
    graph,
    planAt: slots => plan(slots, graph.maxParallelism),
    jobId: jobIdOf(name),
    store: options.store ?? new MemoryStore(),
    restore: restoreRequest(options),
    settings: {
      ...defaultSettings,
      checkpoint: {
        ...defaultSettings.checkpoint,
        ...options.checkpoint,
        intervalMs: checkpointEvery === undefined ? undefined : durationMs(checkpointEvery),
      },
      restart: { ...restartAtOnce, ...options.restart },
    },
    clock,
    random: new SeededRandom(seed),
    onNotice: notice => void notices.push(notice),
  })
  return { ...running, notices }
}

/** Runs a job to its end. Rejects with the error of a job that failed for good. */
export async function runJob(job: Job, options: RunJobOptions = {}): Promise<FinishedJob> {
  const running = startJob(job, options)
  const result = await running.done
  if (result.outcome === 'failed') throw result.error
  const { counters, notices } = running
  return { ...result, counters, notices }
}

function restoreRequest({ restore, dropState = [], fromJob }: RunJobOptions): RestoreRequest {
  if (restore === undefined) return { kind: 'none' }
  if (restore === 'latest') return { kind: 'latest', dropState }
  return { kind: 'path', path: restore, dropState, ...(fromJob === undefined ? {} : { fromJob }) }
}
