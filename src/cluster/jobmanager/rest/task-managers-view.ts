import type { ObservedJob } from './observed-job.ts'

/** The process of each slot; none where all run in the jobmanager's own. */
export function taskManagersView({ job }: ObservedJob) {
  return { taskManagers: job.taskManagers?.() ?? [] }
}
