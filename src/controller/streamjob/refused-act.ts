/** What becomes of a decision whose objects the API server refuses; pure. */
import { overlaid } from '../conditions.ts'
import { retryAfterMs, type WriteRefusal } from '../kube/write-refusal.ts'
import { asFound, type Finding } from './finding.ts'
import { decided, type JobDecision } from './job-decision.ts'
import type { ObservedJob } from './observed-job.ts'
import { roomHeldBy } from './yield-room.ts'

/** A move is not stored without what it names; whatever else was found stays so. */
export function refusedAct(
  observed: ObservedJob,
  decision: JobDecision,
  refused: WriteRefusal,
): JobDecision {
  const { reason, mayPass } = refused
  const message = shortfall(observed, decision, refused) + refused.message
  const { againMs = Number.POSITIVE_INFINITY } = decision
  const kept = decision.isMove ? decided(observed, { findings: asFound(observed) }) : decision
  const own: readonly Finding[] = [
    { type: 'Scheduled', holds: false, reason, message },
    { type: mayPass ? 'Reconciling' : 'Stalled', holds: true, reason, message },
    ...(isReady(kept) ? [] : [{ type: 'Ready' as const, holds: false, reason, message }]),
  ]
  const waitMs = retryAfterMs(refusedForMs(observed))
  return { ...kept, findings: overlaid(kept.findings, own), againMs: Math.min(againMs, waitMs) }
}

/** How much of a deployment is there: without the rest it does nothing. */
function shortfall(
  { pods, status, deployed }: ObservedJob,
  { start, epoch }: JobDecision,
  { reason }: WriteRefusal,
): string {
  if (reason !== 'QuotaExceeded' || start.length === 0 || deployed === undefined) return ''
  const held = roomHeldBy(pods.filter(one => one.epoch === (status.epoch ?? epoch)))
  return `${held.length} of ${deployed.manifest.spec.parallelism + 1} pods are there; `
}

function isReady({ findings }: JobDecision): boolean {
  return findings.some(one => one.type === 'Ready' && one.holds)
}

function refusedForMs({ status, nowMs }: ObservedJob): number {
  const since = status.conditions?.find(one => one.type === 'Scheduled' && one.status === 'False')
  return since === undefined ? 0 : nowMs - Date.parse(since.lastTransitionTime)
}
