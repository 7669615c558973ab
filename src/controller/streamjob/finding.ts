import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import { type FindingOf, INTERNAL_ERROR } from '../conditions.ts'

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

const known: ReadonlySet<string> = new Set(jobConditions)

/** As it was found last. */
export function asFound({ status }: { readonly status: StreamJobStatus }): readonly Finding[] {
  const before = status.conditions?.filter(one => known.has(one.type)) ?? []
  const lasting = before.filter(one => one.reason !== INTERNAL_ERROR)
  return lasting.map(one => {
    const { type, reason, message } = one
    return { type: type as Finding['type'], holds: one.status === 'True', reason, message }
  })
}
