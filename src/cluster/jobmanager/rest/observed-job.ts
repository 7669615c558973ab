import type { Clock } from '../../../common/clock.ts'
import type { JobGraph } from '../../../graph/job-graph.ts'
import type { SlotFigures } from '../../../protocol/control-messages.ts'
import type { TaskMetrics } from '../../../runtime/task-contract.ts'
import type { ObjectStore } from '../../../storage/object-store.ts'
import type { StoreCounters } from '../../../storage/store-counters.ts'
import type { JobProgress } from '../../job-progress.ts'
import type { JobResult } from '../../job-result.ts'
import type { JobSettings } from '../../job-settings.ts'
import type { InspectedProcesses } from '../../process-inspector.ts'
import type { UserCounters } from '../../user-counters.ts'
import type { JobHistory } from '../job-history.ts'
import type { RescaleOrder, StopRequest } from '../job-master-options.ts'
import type { SlotView } from '../slot-registry.ts'

/** A running job as the REST API reads and steers it. */
export interface SteerableJob {
  readonly done: Promise<JobResult>
  /** See `JobMaster.stop`. */
  stop(request?: StopRequest): Promise<JobResult>
  cancel(): void
  /** See `JobManager.begin`; left out where a job begins by itself. */
  begin?(): void
  savepoint(): Promise<string>
  /** See `JobMaster.rescale`. */
  rescale(parallelism: number): Promise<RescaleOrder>
  progress(): JobProgress
  tasks(): readonly TaskMetrics[]
  readonly history: JobHistory
  readonly counters: UserCounters
  /** Of all its processes; left out where all run in this one. */
  readonly storage?: StoreCounters | undefined
  /** Of the processes that run its slots; left out where all run in this one. */
  taskManagers?(): readonly TaskManagerView[]
}

export interface TaskManagerView extends SlotView {
  readonly residentBytes: number | null
  readonly cpuSeconds: number | null
  readonly network: SlotFigures['network'] | null
}

/** With what is known about it from its start. */
export interface ObservedJob {
  readonly job: SteerableJob
  readonly jobId: string
  /** As it is now: a rescale changes it. */
  readonly graph: JobGraph
  readonly settings: JobSettings
  /** What the job's builder function was given. */
  readonly args: Readonly<Record<string, string>>
  readonly store: ObjectStore
  readonly clock: Clock
  /** What can be looked into; absent: the process that serves. */
  readonly processes?: InspectedProcesses | undefined
  /** Of Weir. */
  readonly version: string
}
