/**
 * Which pods an epoch is to have, which of them are lost, and what that means for its health. Pure:
 * the same for a job at work and for one in the middle of an upgrade.
 */
import { remainingMs } from '../remaining-ms.ts'
import { soonest } from '../soonest.ts'
import { healthOf } from './job-health.ts'
import type { PodIdentity } from './job-names.ts'
import type { Deployed, ObservedJob } from './observed-job.ts'
import type { PodFacts } from './pod-facts.ts'
import { mountsOf, untilOverdueMs } from './pod-troubles.ts'

export interface KeptPods {
  readonly start: readonly PodIdentity[]
  readonly stop: readonly PodFacts[]
  /** All are there and run. */
  readonly isWhole: boolean
  /** How often the pod that was lost most was replaced. */
  readonly replacements: number
  /** Until a replacement is due. */
  readonly againMs: number | undefined
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
    // A dead pod goes when another has come to run in its place: until then it tells why.
    stop: pods.filter(one => one.state !== 'leaving' && isReplaced(one, ours, epoch)),
    isWhole,
    replacements: Math.max(0, ...ours.map(one => one.attempt - 1)),
    againMs: soonest(...waits),
  }
}

/** The pods of a deployment in the epoch of the status, and how it is. */
export function keepDeployment(seen: ObservedJob, { manifest }: Deployed) {
  const { nowMs, status, heard } = seen
  const { parallelism: slots, checkpoint } = manifest.spec
  const { epoch = 0, upgrade } = status
  // Those that are warm are looked after elsewhere.
  const pods = seen.pods.filter(one => one.epoch === epoch || one.epoch !== upgrade?.warm)
  const kept = keepPods({ epoch, slots, pods, nowMs })
  const ours = pods.filter(one => one.epoch === epoch)
  const before = status.conditions ?? []
  const { isWhole } = kept
  const mounts = mountsOf(manifest.spec)
  const health = {
    pods: ours,
    wanted: slots + 1,
    isWhole,
    heard,
    before,
    checkpoint,
    nowMs,
    mounts,
  }
  const againMs = soonest(kept.againMs, ...ours.map(one => untilOverdueMs(one, nowMs)))
  return { ...kept, againMs, findings: healthOf(health) }
}

function latest(pods: readonly PodFacts[]): PodFacts | undefined {
  return pods.toSorted((a, b) => b.attempt - a.attempt)[0]
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
/** A slot that its jobmanager let go: the job comes to its end, and that takes it a moment. */
const DISMISSED_MS = 5_000

/** The first replacement comes at once; those of a process that keeps dying wait ever longer. */
function replacement(place: Place, pods: readonly PodFacts[], nowMs: number) {
  const last = latest(pods.filter(isAt(place)))
  if (last === undefined) return { identity: { ...place, attempt: 1 }, inMs: 0 }
  // One that leaves is fenced: nobody waits for it.
  const isGone = last.state === 'failed' || last.state === 'leaving'
  const hasLeft = last.state === 'succeeded' && place.role === 'taskmanager'
  if (!isGone && !hasLeft) return undefined
  const identity = { ...place, attempt: last.attempt + 1 }
  const isAtOnce = last.state === 'leaving'
  return { identity, inMs: isAtOnce ? 0 : remainingMs(last.endedMs, delayMs(last), nowMs) }
}

function delayMs({ attempt, state }: PodFacts): number {
  if (state === 'succeeded') return DISMISSED_MS
  return attempt < 2 ? 0 : Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 1.5 ** (attempt - 2))
}

function isReplaced(pod: PodFacts, ours: readonly PodFacts[], epoch: number): boolean {
  if (pod.epoch !== epoch) return true
  const later = ours.filter(one => isAt(pod)(one) && one.attempt > pod.attempt)
  return isDead(pod) && later.some(one => one.state === 'running' || isDead(one))
}

function isDead({ state }: PodFacts): boolean {
  return state === 'failed' || state === 'succeeded'
}
