/**
 * What is done before a StreamJob goes, by `spec.deletionPolicy`. Pure; `reconcile-deletion.ts`
 * performs it. With `keep` nothing holds the job: its pods go with it, and take a last checkpoint.
 *
 *   savepoint, drain   stop with a savepoint ──▶ keep that as a Savepoint ──▶ gone
 *   purge              pods go ──▶ checkpoints are removed ──▶ gone
 *
 * X1  Nothing of it is done before the phase Deleting stands in the status.
 * X2  Each step has a deadline; after it the job goes all the same, and an event says what is left.
 * X3  Checkpoints are removed only when no pod of the job is there.
 */
import type { SnapshotFacts, StopFacts } from '../../protocol/job-facts.ts'
import type { StreamJobSpec } from '../../protocol/stream-job.ts'
import type { EventWords } from '../kube/event-series.ts'
import { remainingMs } from '../remaining-ms.ts'
import type { Finding } from './finding.ts'
import { newestJobManager } from './job-target.ts'
import type { PodFacts } from './pod-facts.ts'
import type { VerbPod } from './verb-pod.ts'

export interface ObservedDeletion {
  readonly policy: StreamJobSpec['deletionPolicy']
  readonly isForced: boolean
  /** X1 */
  readonly isBegun: boolean
  readonly epoch: number | undefined
  /** When the deletion was asked for. */
  readonly sinceMs: number
  readonly stopTimeoutMs: number
  readonly pods: readonly PodFacts[]
  /** What the jobmanager says of the order to stop; `undefined`: it was not heard. */
  readonly stop: StopFacts | undefined
  /** Why it was not heard. */
  readonly silence: string | undefined
  /** The manifest is there that the removal needs. */
  readonly isRecorded: boolean
  readonly purges: readonly VerbPod[]
  readonly nowMs: number
}

export interface DeletionDecision {
  /** Nothing holds it any more. */
  readonly release: boolean
  /** To be found as a Savepoint when the job is gone. */
  readonly adopt: SnapshotFacts | undefined
  readonly stop: readonly PodFacts[]
  /** The number of the pod that removes the checkpoints. */
  readonly purge: number | undefined
  readonly findings: readonly Finding[]
  readonly event: EventWords | undefined
  readonly againMs: number | undefined
}

const LOOK_AGAIN_MS = 1_000
/** Longer than the grace of a pod. */
const PODS_GONE_MS = 90_000
const PURGE_LIMIT_MS = 600_000
const PURGE_DELAY_MS = 10_000
/** So often an order to stop that failed is given again. */
const ORDER_EVERY_MS = 60_000

/** Given again within its minute it is the same order. */
export function stopRequestId(
  { uid, epoch }: { readonly uid: string; readonly epoch: number },
  { sinceMs, nowMs }: Pick<ObservedDeletion, 'sinceMs' | 'nowMs'>,
): string {
  return `${uid}-${epoch}-delete-${Math.max(0, Math.floor((nowMs - sinceMs) / ORDER_EVERY_MS))}`
}

export function decideDeletion(seen: ObservedDeletion): DeletionDecision {
  if (seen.isForced) return orphaned('all it had is left where it is')
  if (seen.policy === 'keep') return decided({ release: true })
  if (!seen.isBegun) return decided({ findings: underWay('the deletion begins'), againMs: 0 })
  return seen.policy === 'purge' ? purge(seen) : stopWithSavepoint(seen)
}

function decided(more: Partial<DeletionDecision>): DeletionDecision {
  return {
    release: false,
    adopt: undefined,
    stop: [],
    purge: undefined,
    findings: [],
    event: undefined,
    againMs: undefined,
    ...more,
  }
}

function stopWithSavepoint(seen: ObservedDeletion): DeletionDecision {
  const { pods, epoch, sinceMs, stopTimeoutMs, nowMs, stop, silence } = seen
  const jobManager = newestJobManager(pods, epoch)
  const last = jobManager?.lastWord?.latest
  if (last !== undefined && last !== null) {
    const note = `it ended with ${last.kind} ${last.id} at ${last.path}`
    const event = { type: 'Normal', reason: 'Stopped', action: 'Delete', note } as const
    return decided({ release: true, event, adopt: last.kind === 'savepoint' ? last : undefined })
  }
  const isAlive = jobManager?.state === 'running' || jobManager?.state === 'pending'
  if (!isAlive) return blocked('no jobmanager is there that could take a savepoint')
  const leftMs = sinceMs + stopTimeoutMs - nowMs
  const why = stop?.error?.message ?? silence
  const because = why === undefined ? '' : `: ${why}`
  if (leftMs <= 0) return blocked(`it did not stop within spec.stop.timeout${because}`)
  return decided({
    findings: underWay(`the job is stopped with a savepoint${because}`),
    againMs: Math.min(leftMs, LOOK_AGAIN_MS),
  })
}

/** X3, X2 */
function purge(seen: ObservedDeletion): DeletionDecision {
  const { pods, purges, sinceMs, nowMs, isRecorded } = seen
  const ageMs = nowMs - sinceMs
  if (pods.length > 0 && ageMs < PODS_GONE_MS) {
    const stop = pods.filter(one => one.state !== 'leaving')
    const message = `${pods.length} pods leave before the checkpoints are removed`
    return decided({ stop, findings: underWay(message), againMs: PODS_GONE_MS - ageMs })
  }
  const last = purges.at(-1)
  if (last?.state === 'succeeded') {
    const note = 'all checkpoints of the job are gone'
    return decided({
      release: true,
      event: { type: 'Normal', reason: 'Purged', action: 'Delete', note },
    })
  }
  if (!isRecorded) return orphaned('the deployment is gone whose rights would remove them')
  if (ageMs > PURGE_LIMIT_MS)
    return orphaned(last?.why ?? 'no pod that removes them came to its end')
  const findings = underWay(`the checkpoints are removed${last?.why ? `: ${last.why}` : ''}`)
  const limitMs = PURGE_LIMIT_MS - ageMs + 1
  if (last === undefined) return decided({ purge: 1, findings, againMs: limitMs })
  if (last.state === 'running') return decided({ findings, againMs: limitMs })
  const waitMs = remainingMs(last.endedMs, PURGE_DELAY_MS * last.number, nowMs)
  if (waitMs > 0) return decided({ findings, againMs: Math.min(waitMs, limitMs) })
  return decided({ purge: last.number + 1, findings, againMs: limitMs })
}

function underWay(message: string): readonly Finding[] {
  return [
    { type: 'Ready', holds: false, reason: 'Deleting', message },
    { type: 'Reconciling', holds: true, reason: 'Deleting', message },
  ]
}

/** Its checkpoints are there all the same: nothing is lost. */
function blocked(why: string): DeletionDecision {
  const note = `${why}: it goes without a savepoint, its checkpoints stay`
  const event = { type: 'Warning', reason: 'DeletionBlocked', action: 'Delete', note } as const
  return decided({ release: true, event })
}

/** It goes all the same: who wants them gone runs `weir purge`. */
export function orphaned(why: string): DeletionDecision {
  const note = `its checkpoints are left in spec.checkpoint.storage: ${why}`
  const event = { type: 'Warning', reason: 'StateOrphaned', action: 'Delete', note } as const
  return decided({ release: true, event })
}
