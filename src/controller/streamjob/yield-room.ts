/**
 * A ResourceQuota may have room for some pods of a job only. They can do nothing without the
 * others, and hold what somebody else may need, who holds what these need. So the job gives its
 * room back after a while, and asks for all of it again later; how much later differs between jobs,
 * so that sooner or later one of them finds the room of the others free. Pure: it follows from the
 * time for which it has been refused, and nothing else is remembered.
 */
import { asFound, type Finding } from './finding.ts'
import type { ObservedJob } from './observed-job.ts'
import type { PodFacts } from './pod-facts.ts'

export interface RoomTurn {
  /** `holds`: it keeps what it has, and asks for the rest. */
  readonly kind: 'holds' | 'rests'
  /** Until the other. */
  readonly leftMs: number
}

const HOLD_MS = 60_000
const REST_MS = 60_000

/** `undefined`: no quota is in its way. */
export function roomTurn({ status, object, nowMs }: ObservedJob): RoomTurn | undefined {
  const scheduled = status.conditions?.find(one => one.type === 'Scheduled')
  if (scheduled?.status !== 'False' || scheduled.reason !== 'QuotaExceeded') return undefined
  const { uid = '' } = object.metadata
  const own = (Number.parseInt(uid.slice(0, 8), 16) || 0) % REST_MS
  const periodMs = HOLD_MS + REST_MS + own
  const atMs = Math.max(0, nowMs - Date.parse(scheduled.lastTransitionTime)) % periodMs
  return atMs < HOLD_MS
    ? { kind: 'holds', leftMs: HOLD_MS - atMs }
    : { kind: 'rests', leftMs: periodMs - atMs }
}

/** Those that hold room. */
export function roomHeldBy(pods: readonly PodFacts[]): readonly PodFacts[] {
  return pods.filter(one => one.state === 'pending' || one.state === 'running')
}

const GIVEN_BACK = '; meanwhile the room of its other pods is given back'

/** While it rests. */
export function restFindings(observed: ObservedJob): readonly Finding[] {
  const refused = asFound(observed).find(one => one.type === 'Scheduled')
  const { reason = 'QuotaExceeded', message: said = '' } = refused ?? {}
  const message = said.endsWith(GIVEN_BACK) ? said : said + GIVEN_BACK
  return [
    { type: 'Scheduled', holds: false, reason, message },
    { type: 'Reconciling', holds: true, reason, message },
    { type: 'Ready', holds: false, reason, message },
    { type: 'Running', holds: false, reason: 'NotRunning', message: 'it has no pods' },
  ]
}
