import type { Clock } from '../../common/clock.ts'
import type { Random } from '../../common/random.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { CheckpointProgress } from '../job-progress.ts'
import type { JobNotice } from '../job-result.ts'
import type { JobSettings, RestoreRequest } from '../job-settings.ts'
import type { SlotGateway, SlotSupply } from '../slot-messages.ts'
import type { JobHistory } from './job-history.ts'

export interface JobMasterOptions {
  readonly graph: JobGraph
  readonly jobId: string
  readonly store: ObjectStore
  /** Opens the store that a checkpoint is restored from. */
  readonly storeAt: (location: string) => ObjectStore
  readonly restore: RestoreRequest
  readonly settings: JobSettings
  readonly clock: Clock
  readonly random: Random
  /** By index. */
  readonly slots: readonly SlotGateway[]
  /** Without it the slots are always there. */
  readonly supply?: SlotSupply
  readonly onNotice: (notice: JobNotice) => void
  /** Where snapshots and failures are noted for people. */
  readonly history?: JobHistory
}

/** What the master counts over all attempts. */
export interface JobCounts {
  checkpointsCompleted: number
  checkpointsFailed: number
  lastCheckpoint: CheckpointProgress | undefined
  lastCheckpointPath: string | undefined
  lastCheckpointFailure: string | undefined
}
