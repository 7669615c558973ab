import type { TaskMetrics } from '../runtime/task-contract.ts'
import type { JobProgress } from './job-progress.ts'
import type { JobMaster } from './jobmanager/job-master.ts'
import type { ProgressMeter } from './progress-meter.ts'

/** The figures of the tasks and what the master counts, as one snapshot. */
export function progressOf(
  master: JobMaster,
  meter: ProgressMeter,
  tasks: readonly TaskMetrics[],
): JobProgress {
  const { counts, status, restarts, lastFailure, rescalingTo } = master
  return {
    ...meter.read(tasks),
    status,
    checkpointsCompleted: counts.checkpointsCompleted,
    checkpointsFailed: counts.checkpointsFailed,
    lastCheckpoint: counts.lastCheckpoint,
    lastCheckpointFailure: counts.lastCheckpointFailure,
    restarts,
    lastFailure,
    ...(rescalingTo === undefined ? {} : { rescalingTo }),
  }
}
