/** What becomes of a decision whose objects the API server refuses; pure. */
import { retryAfterMs, type WriteRefusal } from '../kube/write-refusal.ts'
import { asFound, type Finding } from './finding.ts'
import { decided, type JobDecision } from './job-decision.ts'
import type { ObservedJob } from './observed-job.ts'

/** A move is not stored without what it names; whatever else was found stays so. */
export function refusedAct(
  observed: ObservedJob,
  decision: JobDecision,
  refused: WriteRefusal,
): JobDecision {
  const { reason, message, mayPass } = refused
  const { againMs = Number.POSITIVE_INFINITY } = decision
  const kept = decision.isMove ? decided(observed, { findings: asFound(observed) }) : decision
  const own: readonly Finding[] = [
    { type: 'Scheduled', holds: false, reason, message },
    { type: mayPass ? 'Reconciling' : 'Stalled', holds: true, reason, message },
    ...(isReady(kept) ? [] : [{ type: 'Ready' as const, holds: false, reason, message }]),
  ]
  const others = kept.findings.filter(one => !own.some(({ type }) => type === one.type))
  const waitMs = retryAfterMs(refusedForMs(observed))
  return { ...kept, findings: [...others, ...own], againMs: Math.min(againMs, waitMs) }
}

function isReady({ findings }: JobDecision): boolean {
  return findings.some(one => one.type === 'Ready' && one.holds)
}

function refusedForMs({ status, nowMs }: ObservedJob): number {
  const since = status.conditions?.find(one => one.type === 'Scheduled' && one.status === 'False')
  return since === undefined ? 0 : nowMs - Date.parse(since.lastTransitionTime)
}
