import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import { type FindingOf, findingsIn } from '../conditions.ts'

/** The conditions of a StreamJob that this version knows; others are a newer one's. */
export const jobConditions = [
  'Ready',
  'Reconciling',
  'Stalled',
  'Scheduled',
  'Running',
  'CheckpointHealthy',
  'QuotaAdmitted',
  'UpgradeInProgress',
  'RolledBack',
] as const

/** What is found of a job: becomes one of the conditions of its status. */
export type Finding = FindingOf<(typeof jobConditions)[number]>

/** As it was found last. */
export function asFound({ status }: { readonly status: StreamJobStatus }): readonly Finding[] {
  return findingsIn(status.conditions, jobConditions)
}
