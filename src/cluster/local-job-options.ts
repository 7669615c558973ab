import type { Clock } from '../common/clock.ts'
import type { Logger } from '../common/logger.ts'
import type { Random } from '../common/random.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { JobNotice } from './job-result.ts'
import type { JobSettings, RestoreRequest } from './job-settings.ts'

export interface LocalJobOptions {
  readonly graph: JobGraph
  /** Plans the same job for other slots; absent: it cannot be rescaled. Keeps maxParallelism. */
  readonly planAt?: (parallelism: number) => JobGraph
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
