/** The status that a decision leads to; pure. */
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import { conditionsOf, timeText } from '../conditions.ts'
import { type Demand, larger, plus } from '../tenancy/demand.ts'
import { demandOf, demandOfReserved, type Reserved, reservedOf } from '../tenancy/job-demand.ts'
import { type Finding, jobConditions } from './finding.ts'
import type { JobDecision } from './job-decision.ts'
import { labels, labelsOf } from './job-names.ts'
import { jobState } from './job-state.ts'
import type { ObservedJob } from './observed-job.ts'
import type { StreamJobObject } from './stream-job-object.ts'

export function nextStatus(observed: ObservedJob, decision: JobDecision): StreamJobStatus {
  const { object, status, pods, deployed, checked, admission, nowMs } = observed
  const { epoch } = decision
  const spec =
    deployed?.manifest.spec ?? ('manifest' in checked ? checked.manifest.spec : undefined)
  const ready = pods.filter(
    one => one.epoch === epoch && one.role === 'taskmanager' && one.state === 'running',
  ).length
  const { name, generation = 0 } = object.metadata
  const selector = `${labels.job}=${labelsOf(name)[labels.job]},${labels.role}=taskmanager`
  const { queue: queued, reserved: _before, tenant: _formerTenant, ...rest } = status
  const { upgrade, ...kept } = { ...rest, ...decision.store }
  const { queue } = decision
  const since = queued?.since ?? timeText(nowMs)
  const reserved = reservedBy(observed, decision)
  const findings = [...decision.findings, ...admitted(observed, reserved)]
  const restore = deployed?.manifest.spec.restoreNonce
  return {
    ...kept,
    ...(upgrade && { upgrade }),
    ...(restore !== undefined && { nonces: { ...status.nonces, restore } }),
    ...stateOf(observed, decision),
    phase: decision.phase,
    observedGeneration: generation,
    ...(epoch > 0 && { epoch }),
    ...(admission.kind !== 'free' && { tenant: admission.tenant }),
    ...(deployed !== undefined && { jobDigest: deployed.specDigest }),
    ...(reserved !== undefined && { reserved }),
    ...(queue !== undefined && { queue: { ...queue, since } }),
    slots: { desired: spec?.parallelism ?? 0, ready },
    selector,
    conditions: conditionsOf({
      before: status.conditions,
      known: jobConditions,
      findings,
      generation,
      nowMs,
    }),
  }
}

/** By the last word of a jobmanager that has ended, or by what it said when it was asked. */
function stateOf({ facts, status }: ObservedJob, decision: JobDecision) {
  const { epoch } = status
  if (facts === undefined || epoch === undefined) return {}
  const isAwaited = status.phase !== 'Running' || decision.phase !== 'Running'
  return jobState(facts, { before: status, epoch, isAwaited })
}

const released = new Set<JobDecision['phase']>([
  'Queued',
  'Suspended',
  'Finished',
  'Failed',
  'Deleting',
])

/** An upgrade holds what either of its deployments needs, or both where they are there at once. */
export function roomFor(
  { spec, status }: StreamJobObject,
  takes: Exclude<JobDecision['takesRoom'], 'none'>,
): Demand {
  const wanted = demandOf(spec)
  if (status?.reserved === undefined) return wanted
  const held = demandOfReserved(status.reserved)
  return takes === 'instead' ? larger(held, wanted) : { ...plus(held, wanted), jobs: 1 }
}

/** Room is taken before a pod needs it, and given back after the last one. */
function reservedBy(observed: ObservedJob, decision: JobDecision): Reserved | undefined {
  const { status, object, pods, deployed } = observed
  const { phase, epoch, takesRoom, store } = decision
  if (takesRoom !== 'none') return reservedOf(roomFor(object, takesRoom))
  if (epoch === 0) return undefined
  const isAlive = pods.some(one => one.state !== 'succeeded' && one.state !== 'failed')
  if (released.has(phase) && !isAlive) return undefined
  const isSettled = phase === 'Running' && { ...status, ...store }.upgrade === undefined
  if (isSettled && deployed !== undefined) return reservedOf(demandOf(deployed.manifest.spec))
  return status.reserved ?? reservedOf(demandOf(deployed?.manifest.spec ?? object.spec))
}

/** Who has room may know whose it is. */
function admitted({ admission }: ObservedJob, reserved: Reserved | undefined): readonly Finding[] {
  if (admission.kind === 'free' || reserved === undefined) return []
  const { slots, cpu, memory } = reserved
  const message = `tenant ${admission.tenant} gives ${slots} slots, ${cpu} cores, ${memory} memory`
  return [{ type: 'QuotaAdmitted', holds: true, reason: 'Admitted', message }]
}
