/**
 * A job that no upgrade watches has a deadline, too: to become ready after it was deployed, or
 * again after it was. Nothing is undone then, for there is nothing to go back to; a person is told.
 * Pure.
 */
import { remainingMs } from '../remaining-ms.ts'
import type { Finding } from './finding.ts'
import type { Deployed, ObservedJob } from './observed-job.ts'
import { deadlineMs } from './phases/failure.ts'

export interface ReadyDeadline {
  /** It is over. */
  readonly stalled: Finding | undefined
  /** Until it is. */
  readonly againMs: number | undefined
}

const none: ReadyDeadline = { stalled: undefined, againMs: undefined }

export function readyDeadline(
  observed: ObservedJob,
  deployed: Deployed,
  findings: readonly Finding[],
): ReadyDeadline {
  const ready = findings.find(one => one.type === 'Ready')
  if (ready === undefined || ready.holds) return none
  const { nowMs } = observed
  const { spec } = deployed.manifest
  const limitMs = deadlineMs({ spec, to: undefined })
  const leftMs = remainingMs(unreadySince(observed), limitMs, nowMs)
  if (leftMs > 0) return { stalled: undefined, againMs: leftMs }
  const { reason, message } = ready
  const text =
    `not ready for more than ${limitMs / 1_000} s (spec.rollback.deadline, and the checkpoints ` +
    `that are awaited): ${reason}: ${message}; it is tried on, kubectl weir doctor says more`
  return {
    stalled: { type: 'Stalled', holds: true, reason: 'NotReady', message: text },
    againMs: undefined,
  }
}

/** Time in a queue does not count: the revision is made when the job is let in. */
function unreadySince({ status, deployedMs, nowMs }: ObservedJob): number {
  const before = status.conditions?.find(one => one.type === 'Ready' && one.status === 'False')
  if (before === undefined) return nowMs
  return Math.max(Date.parse(before.lastTransitionTime), deployedMs ?? 0)
}
