/**
 * Which pods an epoch is to have, which of them are lost, and what that means for its health. Pure:
 * the same for a job at work and for one in the middle of an upgrade.
 */
import type { Finding } from './job-decision.ts'
import type { PodIdentity } from './job-names.ts'
import type { PodFacts } from './pod-facts.ts'

export interface KeptPods {
  readonly start: readonly PodIdentity[]
  readonly stop: readonly PodFacts[]
  /** All are there and run. */
  readonly isWhole: boolean
  /** How often the pod that was lost most was replaced. */
  readonly replacements: number
  /** Until a replacement is due. */
  readonly againMs: number | undefined
  readonly findings: readonly Finding[]
}

export interface KeepOptions {
  readonly epoch: number
  readonly slots: number
  readonly pods: readonly PodFacts[]
  readonly nowMs: number
}

export function keepPods({ epoch, slots, pods, nowMs }: KeepOptions): KeptPods {
  const ours = pods.filter(one => one.epoch === epoch)
  const places = placesOf(epoch, slots)
  const lost = places.flatMap(place => replacement(place, ours, nowMs) ?? [])
  const waits = lost.filter(one => one.inMs > 0).map(one => one.inMs)
  const running = ours.filter(one => one.state === 'running')
  const isWhole = running.length >= places.length && lost.length === 0
  return {
    start: lost.filter(one => one.inMs <= 0).map(one => one.identity),
    // A dead pod goes when the one in its place is there; the last one tells why.
    stop: pods.filter(one => one.state !== 'leaving' && isReplaced(one, ours, epoch)),
    isWhole,
    replacements: Math.max(0, ...ours.map(one => one.attempt - 1)),
    againMs: waits.length === 0 ? undefined : Math.min(...waits),
    findings: healthOf(isWhole, { ours, places }),
  }
}

/** The last attempt of a place. */
export function latest(pods: readonly PodFacts[]): PodFacts | undefined {
  return pods.toSorted((a, b) => b.attempt - a.attempt)[0]
}

/** The last attempt at the jobmanager of an epoch. */
export function jobManagerOf(pods: readonly PodFacts[], epoch: number): PodFacts | undefined {
  return latest(pods.filter(one => one.role === 'jobmanager' && one.epoch === epoch))
}

type Place = Omit<PodIdentity, 'attempt'>

function placesOf(epoch: number, slots: number): Place[] {
  const taskManagers = Array.from({ length: slots }, (_, slot) => {
    return { epoch, role: 'taskmanager' as const, slot }
  })
  return [{ epoch, role: 'jobmanager', slot: 0 }, ...taskManagers]
}

const isAt = (place: Place) => (one: PodFacts) => one.role === place.role && one.slot === place.slot

const FIRST_DELAY_MS = 1_000
const DELAY_MAX_MS = 60_000

/** The first replacement comes at once; those of a process that keeps dying wait ever longer. */
function replacement(place: Place, pods: readonly PodFacts[], nowMs: number) {
  const last = latest(pods.filter(isAt(place)))
  if (last === undefined) return { identity: { ...place, attempt: 1 }, inMs: 0 }
  // One that leaves is fenced: nobody waits for it.
  const isGone = last.state === 'failed' || last.state === 'leaving'
  const hasLeft = last.state === 'succeeded' && place.role === 'taskmanager'
  if (!isGone && !hasLeft) return undefined
  const identity = { ...place, attempt: last.attempt + 1 }
  const isFirst = last.attempt < 2 || last.state === 'leaving'
  const delayMs = Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 1.5 ** (last.attempt - 2))
  return { identity, inMs: isFirst ? 0 : Math.max(0, last.endedMs + delayMs - nowMs) }
}

function isReplaced(pod: PodFacts, ours: readonly PodFacts[], epoch: number): boolean {
  if (pod.epoch !== epoch) return true
  const isDead = pod.state === 'failed' || pod.state === 'succeeded'
  return isDead && ours.some(one => isAt(pod)(one) && one.attempt > pod.attempt)
}

interface Health {
  readonly ours: readonly PodFacts[]
  readonly places: readonly Place[]
}

function healthOf(isWhole: boolean, { ours, places }: Health): Finding[] {
  const pending = ours.filter(one => one.state === 'pending')
  const unbound = pending.find(one => one.why !== undefined)
  const scheduled: Finding =
    unbound === undefined
      ? { type: 'Scheduled', holds: true, reason: 'PodsBound', message: 'no pod waits' }
      : {
          type: 'Scheduled',
          holds: false,
          reason: 'PodPending',
          message: `pod ${unbound.pod.metadata.name}: ${unbound.why}`,
        }
  if (isWhole) {
    const message = `all ${places.length} pods run`
    return [scheduled, { type: 'Ready', holds: true, reason: 'Running', message }]
  }
  const dead = latest(ours.filter(one => one.state === 'failed'))
  const running = ours.filter(one => one.state === 'running').length
  const because =
    dead === undefined ? '' : `; pod ${dead.pod.metadata.name}: ${dead.why ?? 'failed'}`
  const message = `${running} of ${places.length} pods run${because}`
  return [
    scheduled,
    { type: 'Ready', holds: false, reason: 'PodsMissing', message },
    { type: 'Reconciling', holds: true, reason: 'PodsMissing', message },
  ]
}
