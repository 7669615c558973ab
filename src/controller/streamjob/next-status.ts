/** The status that a decision leads to; pure. Times of conditions change with their values only. */
import type { Condition } from '../../protocol/status-fields.ts'
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import type { Finding } from './finding.ts'
import { labels, labelsOf } from './job-names.ts'
import type { JobDecision } from './job-decision.ts'
import { jobState } from './job-state.ts'
import type { ObservedJob } from './observed-job.ts'

const MESSAGE_CHARS_MAX = 1_024
/** True or absent, as kstatus has it. */
const absentWhenFalse = new Set<Finding['type']>([
  'Reconciling',
  'Stalled',
  'UpgradeInProgress',
  'RolledBack',
])

export function nextStatus(observed: ObservedJob, decision: JobDecision): StreamJobStatus {
  const { object, status, pods, deployed, checked } = observed
  const { epoch } = decision
  const spec =
    deployed?.manifest.spec ?? ('manifest' in checked ? checked.manifest.spec : undefined)
  const ready = pods.filter(
    one => one.epoch === epoch && one.role === 'taskmanager' && one.state === 'running',
  ).length
  const { name, generation = 0 } = object.metadata
  const selector = `${labels.job}=${labelsOf(name)[labels.job]},${labels.role}=taskmanager`
  const { upgrade, ...rest } = { ...status, ...decision.store }
  return {
    ...rest,
    ...(upgrade && { upgrade }),
    ...stateOf(observed, decision),
    phase: decision.phase,
    observedGeneration: generation,
    ...(epoch > 0 && { epoch }),
    ...(deployed !== undefined && { jobDigest: deployed.specDigest }),
    slots: { desired: spec?.parallelism ?? 0, ready },
    selector,
    conditions: conditionsOf(observed, decision.findings),
  }
}

/** By the last word of a jobmanager that has ended, or by what it said when it was asked. */
function stateOf({ facts, status }: ObservedJob, decision: JobDecision) {
  const { epoch } = status
  if (facts === undefined || epoch === undefined) return {}
  const isAwaited = status.phase !== 'Running' || decision.phase !== 'Running'
  return jobState(facts, { before: status, epoch, isAwaited })
}

function conditionsOf(observed: ObservedJob, findings: readonly Finding[]): Condition[] {
  const before = new Map(observed.status.conditions?.map(one => [one.type, one]))
  const now = new Date(observed.nowMs).toISOString().replace(/\.\d+Z$/, 'Z')
  const observedGeneration = observed.object.metadata.generation ?? 0
  return findings
    .filter(one => one.holds || !absentWhenFalse.has(one.type))
    .toSorted((a, b) => (a.type < b.type ? -1 : 1))
    .map(({ type, holds, reason, message }) => {
      const status = holds ? 'True' : 'False'
      const old = before.get(type)
      const isSame = old?.status === status
      return {
        type,
        status,
        reason,
        message: message.slice(0, MESSAGE_CHARS_MAX),
        lastTransitionTime: isSame ? old.lastTransitionTime : now,
        observedGeneration,
      }
    })
}
