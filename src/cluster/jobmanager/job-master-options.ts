/** What a JobMaster is given, what it counts, and how it is told to stop. */
import type { Clock } from '../../common/clock.ts'
import type { Random } from '../../common/random.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { CheckpointProgress } from '../job-progress.ts'
import type { JobNotice } from '../job-result.ts'
import type { JobSettings, RestoreRequest } from '../job-settings.ts'
import type { SlotGateway, SlotSupply } from '../slot-messages.ts'
import type { JobHistory } from './job-history.ts'

/** A job at one parallelism, and the slots that run it. */
export interface JobShape {
  readonly graph: JobGraph
  /** By index. */
  readonly slots: readonly SlotGateway[]
  /** Without it the slots are always there. */
  readonly supply?: SlotSupply
}

/** How a job is brought to another parallelism. */
export interface Rescaling {
  /** The same job for other slots. Throws where it cannot have them. */
  plan(parallelism: number): JobGraph
  /** Gives the slots of the graph; those of the one before are not used any more. */
  provide(graph: JobGraph): JobShape
  /** The order is durable: these slots will be needed soon. `undefined`: it was taken back. */
  expect?(graph: JobGraph | undefined): void
}

/** An order to rescale that is durable: it holds, whoever fails. */
export interface RescaleOrder {
  /** The job is starting there. Rejects where an order to end takes it back. */
  readonly begun: Promise<void>
}

export interface JobMasterOptions extends JobShape {
  readonly jobId: string
  readonly store: ObjectStore
  /** Opens the store that a checkpoint is restored from. */
  readonly storeAt: (location: string) => ObjectStore
  /** What is asked for: holds until an attempt of the run may have begun to run. */
  readonly restore: RestoreRequest
  /**
   * Names this start of the job: a jobmanager that takes the place of another one gets the same
   * name, and goes on where that one stopped. Another start has another.
   */
  readonly run: string
  readonly settings: JobSettings
  readonly clock: Clock
  readonly random: Random
  /** Absent: the job keeps its parallelism. */
  readonly rescaling?: Rescaling | undefined
  readonly onNotice: (notice: JobNotice) => void
  /** Goes on counting in these; absent: in new ones. */
  readonly counts?: JobCounts
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

export function emptyCounts(): JobCounts {
  return {
    checkpointsCompleted: 0,
    checkpointsFailed: 0,
    lastCheckpoint: undefined,
    lastCheckpointPath: undefined,
    lastCheckpointFailure: undefined,
  }
}

/** How a job is to end: after a last checkpoint, from which it can go on. */
export interface StopRequest {
  /** That last snapshot is a savepoint. Where it fails the job goes on. */
  readonly savepoint?: boolean
  /** Event time ends first: windows fire. For jobs that are not to go on from there. */
  readonly drain?: boolean
}
