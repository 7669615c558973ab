import type { FindingOf } from '../conditions.ts'

/** What is found of a job: becomes one of the conditions of its status. */
export type Finding = FindingOf<
  | 'Ready'
  | 'Reconciling'
  | 'Stalled'
  | 'Scheduled'
  | 'Running'
  | 'CheckpointHealthy'
  | 'QuotaAdmitted'
  | 'UpgradeInProgress'
  | 'RolledBack'
>
