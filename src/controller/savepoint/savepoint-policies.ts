/**
 * What is to be done for a Savepoint, by what was observed. Pure: each policy looks at one concern
 * and speaks or is silent; the first that speaks decides. `reconcile-savepoint.ts` performs it.
 *
 *   Pending ──▶ InProgress ──▶ Completed ──▶ Disposing ──▶ (gone)
 *      ▲            │ failed: waits, tries again
 *      └────────────┴──▶ Failed, when no try is left
 *
 * V1  That a savepoint is ordered stands in the status before the order is given; the id of the
 *     order follows from it, so that it may be given again.
 * V2  What could remove the files is recorded before there are any, or before the resource is held
 *     for files that were there.
 * V3  Files are removed only in Disposing, which stands in the status before, and only while nobody
 *     needs them. The resource goes after them.
 * V4  A deletion waits for nothing without end, but for who needs the files; `force-delete` skips
 *     all of it and leaves the files.
 * V5  What a newer controller has begun is left to it.
 */
import { parseDuration } from '../../common/duration.ts'
import type { SavepointFacts } from '../../protocol/job-facts.ts'
import type { SavepointSpec } from '../../protocol/savepoint.ts'
import { type FindingOf, findingsIn, overlaid, timeText } from '../conditions.ts'
import type { EventWords } from '../kube/event-series.ts'
import { type FinalizerChange, isForced, isHeld } from '../kube/finalizer.ts'
import type { WriteRefusal } from '../kube/write-refusal.ts'
import { leftToNewer } from '../newer-in.ts'
import { remainingMs } from '../remaining-ms.ts'
import { soonest } from '../soonest.ts'
import type { PodObject } from '../streamjob/pod-facts.ts'
import type { ObservedSavepoint } from './observed-savepoint.ts'
import { savepointErrors } from './savepoint-errors.ts'
import type { SavepointStatus } from './savepoint-object.ts'
import { verificationOf, verifiedBefore } from './verification.ts'

export const savepointConditions = ['Ready', 'Reconciling', 'Stalled', 'Verified'] as const

export type SavepointFinding = FindingOf<(typeof savepointConditions)[number]>

export interface SavepointDecision {
  readonly status: SavepointStatus
  readonly findings: readonly SavepointFinding[]
  readonly finalizer: FinalizerChange | undefined
  readonly record: boolean
  /** The number of the pod that removes the files now. */
  readonly dispose: number | undefined
  /** The number of the pod that reads them now. */
  readonly verify: number | undefined
  /** Pods that are not needed any more. */
  readonly sweep: readonly PodObject[]
  /** It has expired: the resource is to be deleted. */
  readonly expire: boolean
  readonly event: EventWords | undefined
  readonly againMs: number | undefined
}

type Policy = (seen: ObservedSavepoint) => SavepointDecision | undefined

const FIRST_DELAY_MS = 10_000
const DELAY_MAX_MS = 600_000
const LOOK_AGAIN_MS = 1_000
const WAIT_MS = 5_000
const DISPOSALS_AT_FULL_PACE = 5

const policies: readonly Policy[] = [
  forced,
  ofNewer,
  underWay,
  leaving,
  adopted,
  unrecorded,
  unguarded,
  waiting,
  begin,
  completed,
]

export function decideSavepoint(seen: ObservedSavepoint): SavepointDecision {
  for (const policy of policies) {
    const decision = policy(seen)
    if (decision !== undefined) return decision
  }
  return decided(seen, {})
}

function decided(seen: ObservedSavepoint, more: Partial<SavepointDecision>): SavepointDecision {
  return {
    status: seen.status,
    findings: findingsOf(seen.status),
    finalizer: undefined,
    record: false,
    dispose: undefined,
    verify: undefined,
    sweep: [],
    expire: false,
    event: undefined,
    againMs: undefined,
    ...more,
  }
}

const isLeaving = ({ object }: ObservedSavepoint) => object.metadata.deletionTimestamp !== undefined
const isGuarded = ({ object }: ObservedSavepoint) => isHeld(object.metadata)

/** Adopted files are somebody else's, unless it is said that they are not. */
const ownsFiles = ({ spec }: ObservedSavepoint) =>
  (spec.existing?.owned ?? true) && spec.disposal === 'delete'

/** V4 */
function forced(seen: ObservedSavepoint): SavepointDecision | undefined {
  if (!isLeaving(seen) || !isForced(seen.object.metadata)) return undefined
  const { path } = seen.status
  const note = path === undefined ? 'no files were known' : `its files are left at ${path}`
  const event = { type: 'Warning', reason: 'StateOrphaned', action: 'Delete', note } as const
  return decided(seen, isGuarded(seen) ? { finalizer: 'remove', event } : {})
}

/** V5 */
function ofNewer(seen: ObservedSavepoint): SavepointDecision | undefined {
  const { newer, status } = seen
  if (newer === undefined) return undefined
  const before = findingsIn(status.conditions, savepointConditions)
  return decided(seen, { findings: overlaid(before, [leftToNewer(newer)]) })
}

/** V1: from here on there may be files. A deletion waits for what becomes of it. */
function underWay(seen: ObservedSavepoint): SavepointDecision | undefined {
  const { status, order, spec, job, nowMs } = seen
  if (status.phase !== 'InProgress') return undefined
  if (order?.status === 'completed' && order.snapshot !== null) return taken(seen, order.snapshot)
  if (order?.status === 'failed') {
    const { code = 'WEIR_SAVEPOINT_FAILED', message = '' } = order.error ?? {}
    return failed(seen, { code, message })
  }
  if (!job.isThere || job.isOver) {
    return failed(seen, gone(spec, 'ended before its savepoint was whole'))
  }
  if (seen.epoch !== status.epoch) {
    return failed(seen, gone(spec, `was deployed anew meanwhile: not ${status.epoch} any more`))
  }
  const limitMs = parseDuration(spec.timeout) ?? 0
  if (nowMs - Date.parse(status.startedAt ?? timeText(nowMs)) > limitMs) {
    return failed(seen, savepointErrors.WEIR_SAVEPOINT_TIMEOUT({ timeout: spec.timeout }))
  }
  const { silence } = seen
  const message =
    silence === undefined ? 'it is being taken' : `it is not known how far it is: ${silence}`
  return decided(seen, {
    findings: [
      { type: 'Ready', holds: false, reason: 'InProgress', message },
      { type: 'Reconciling', holds: true, reason: 'InProgress', message },
    ],
    againMs: LOOK_AGAIN_MS,
  })
}

function taken(seen: ObservedSavepoint, snapshot: NonNullable<SavepointFacts['snapshot']>) {
  const { error: _over, retryAt: _none, ...status } = seen.status
  const { id, path, sizeBytes, completedAtMs } = snapshot
  const completedAt = timeText(completedAtMs)
  const done = { phase: 'Completed', path, checkpointId: id, sizeBytes, completedAt } as const
  const note = `savepoint ${id} of ${sizeBytes} bytes is at ${path}`
  const next: SavepointStatus = { ...status, ...done }
  return decided(seen, {
    status: next,
    findings: findingsOf(next),
    event: { type: 'Normal', reason: 'SavepointCompleted', action: 'Take', note },
  })
}

function gone({ job = '' }: SavepointSpec, why: string) {
  return savepointErrors.WEIR_SAVEPOINT_JOB_GONE({ job, why })
}

/** A failed savepoint never fails the job. */
function failed(seen: ObservedSavepoint, error: NonNullable<SavepointStatus['error']>) {
  const { spec, status, job, nowMs } = seen
  const failures = (status.failures ?? 0) + 1
  const isLast =
    isLeaving(seen) ||
    job.isOver ||
    !job.isThere ||
    (spec.backoffLimit >= 0 && failures > spec.backoffLimit)
  const delayMs = Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** (failures - 1))
  const { retryAt: _former, ...rest } = status
  const next: SavepointStatus = {
    ...rest,
    phase: isLast ? 'Failed' : 'Pending',
    failures,
    error: { code: error.code.slice(0, 64), message: error.message.slice(0, 1_024) },
    ...(!isLast && { retryAt: timeText(nowMs + delayMs) }),
  }
  const note = `try ${failures} failed: ${error.code} ${error.message}`
  return decided(seen, {
    status: next,
    findings: findingsOf(next),
    event: { type: 'Warning', reason: 'SavepointFailed', action: 'Take', note },
    againMs: isLast ? undefined : delayMs,
  })
}

/** V3: the tombstone, then the files, then the resource. */
function leaving(seen: ObservedSavepoint): SavepointDecision | undefined {
  if (!isLeaving(seen)) return undefined
  if (!isGuarded(seen)) return decided(seen, {})
  const { status, pins, disposals } = seen
  const { path } = status
  if (path === undefined || !ownsFiles(seen)) return decided(seen, { finalizer: 'remove' })
  if (status.phase !== 'Disposing') {
    const next: SavepointStatus = { ...status, phase: 'Disposing' }
    return decided(seen, { status: next, findings: findingsOf(next) })
  }
  if (pins.length > 0) {
    const message = `its files are needed by ${pins.join(', ')}: it goes when they are not`
    return blocked(seen, 'Pinned', message)
  }
  const last = disposals.at(-1)
  if (last?.state === 'succeeded') {
    const note = `the files at ${path} are gone`
    const event = { type: 'Normal', reason: 'SavepointDisposed', action: 'Delete', note } as const
    return decided(seen, { finalizer: 'remove', event })
  }
  if (!seen.isRecorded) {
    const message = `nothing is known that could remove ${path}: do it, then force-delete`
    return blocked(seen, 'NotRecorded', message)
  }
  return disposal(seen, path)
}

/** One pod after the other; each failure waits longer. */
function disposal(seen: ObservedSavepoint, path: string): SavepointDecision {
  const { disposals, nowMs } = seen
  const last = disposals.at(-1)
  if (last?.state === 'running') {
    const because = last.why === undefined ? '' : `: ${last.why}`
    const message = `pod ${last.pod.metadata.name} removes ${path}${because}`
    return decided(seen, {
      findings: [
        { type: 'Ready', holds: false, reason: 'Disposing', message },
        { type: 'Reconciling', holds: true, reason: 'Disposing', message },
      ],
      againMs: WAIT_MS * 12,
    })
  }
  if (last === undefined) return decided(seen, { dispose: 1 })
  const tries = Math.min(last.number, DISPOSALS_AT_FULL_PACE + 1)
  const delayMs = Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** (tries - 1))
  const leftMs = remainingMs(last.endedMs, delayMs, nowMs)
  if (leftMs === 0) return decided(seen, { dispose: last.number + 1 })
  const why = last.why ?? 'no reason was given'
  const message = `try ${last.number} to remove ${path} failed: ${why}`
  return { ...blocked(seen, 'DisposalFailed', message), againMs: leftMs }
}

/** What is left to do where the API server refuses what was decided. */
export function refusedSavepoint(
  seen: ObservedSavepoint,
  { reason, message }: WriteRefusal,
  wanted: SavepointDecision,
): SavepointDecision {
  if (wanted.verify !== undefined) {
    // It is there and may be used all the same.
    const unread = { type: 'Verified', holds: false, reason, message } as const
    return decided(seen, { findings: overlaid(wanted.findings, [unread]), againMs: WAIT_MS * 6 })
  }
  if (reason !== 'NamespaceTerminating') return blocked(seen, reason, message)
  // Nothing that could remove the files is made there any more, and nothing is to hold it up.
  const path = seen.status.path ?? 'a place that is not known'
  const note = `its files are left at ${path}: ${message}`
  const event = { type: 'Warning', reason: 'StateOrphaned', action: 'Delete', note } as const
  return decided(seen, isLeaving(seen) && isGuarded(seen) ? { finalizer: 'remove', event } : {})
}

function blocked(seen: ObservedSavepoint, reason: string, message: string): SavepointDecision {
  const before = seen.status.conditions?.find(one => one.type === 'Stalled')
  const isNew = before?.reason !== reason
  const event = { type: 'Warning', reason: 'DisposalBlocked', action: 'Delete', note: message }
  return decided(seen, {
    status: { ...seen.status, pins: [...seen.pins] },
    findings: [
      { type: 'Ready', holds: false, reason, message },
      { type: 'Stalled', holds: true, reason, message },
    ],
    event: isNew ? (event as EventWords) : undefined,
    againMs: WAIT_MS * 6,
  })
}

/** The folder is taken as it is: nothing of Weir's control plane reads state. */
function adopted(seen: ObservedSavepoint): SavepointDecision | undefined {
  const { spec, status, nowMs } = seen
  if (spec.existing === undefined || status.phase !== undefined) return undefined
  const { path } = spec.existing
  const { state } = seen.job
  const checkpointId = Number(/(\d{1,15})\/?$/.exec(path)?.[1] ?? 0)
  // Of what its job goes on from more is known than the name.
  const known =
    state?.path === path
      ? {
          epoch: state.epoch,
          checkpointId: state.checkpointId,
          sizeBytes: state.sizeBytes,
          completedAt: state.completedAt,
        }
      : { checkpointId, completedAt: timeText(nowMs) }
  const next: SavepointStatus = { ...status, phase: 'Completed', path, ...known }
  return decided(seen, { status: next, findings: findingsOf(next) })
}

/** V2: of a job that is gone nothing can be recorded. */
function unrecorded(seen: ObservedSavepoint): SavepointDecision | undefined {
  const { spec, job, isRecorded } = seen
  const isOwned = spec.existing !== undefined && ownsFiles(seen)
  if (!isOwned || isRecorded || isGuarded(seen) || !job.isThere) return undefined
  return decided(seen, { record: true, againMs: WAIT_MS })
}

/** V4, V3: whoever deletes it deletes files; where that is not wanted nothing holds it up. */
function unguarded(seen: ObservedSavepoint): SavepointDecision | undefined {
  if (ownsFiles(seen) === isGuarded(seen)) return undefined
  return decided(seen, { finalizer: ownsFiles(seen) ? 'add' : 'remove' })
}

function waiting(seen: ObservedSavepoint): SavepointDecision | undefined {
  const { spec, status, job, nowMs } = seen
  if (status.phase !== undefined && status.phase !== 'Pending') return undefined
  if (job.isOver) {
    return failed(seen, gone(spec, 'has ended'))
  }
  const retryMs = Date.parse(status.retryAt ?? timeText(nowMs)) - nowMs
  if (job.runs && retryMs <= 0) return undefined
  const [reason, message] = !job.isThere
    ? ['JobNotFound', `there is no StreamJob ${spec.job} in this namespace`]
    : retryMs > 0
      ? [
          'Retrying',
          `${status.error?.message ?? 'it failed'}: the next try is at ${status.retryAt}`,
        ]
      : ['JobNotRunning', `job ${spec.job} does not run: the savepoint is taken when it does`]
  return decided(seen, {
    status: { ...status, phase: 'Pending' },
    findings: [
      { type: 'Ready', holds: false, reason, message },
      { type: 'Reconciling', holds: true, reason, message },
    ],
    againMs: retryMs > 0 ? retryMs : WAIT_MS,
  })
}

/** V2, then V1. */
function begin(seen: ObservedSavepoint): SavepointDecision | undefined {
  const { status, epoch, isRecorded, nowMs, spec } = seen
  if (status.phase !== undefined && status.phase !== 'Pending') return undefined
  if (!isRecorded) return decided(seen, { record: true, againMs: 0 })
  const { retryAt: _due, ...rest } = status
  const startedAt = timeText(nowMs)
  const { revision, tenant } = seen.job
  const of = { ...(revision && { revision }), ...(tenant && { tenant }) }
  const next: SavepointStatus = { ...rest, ...of, phase: 'InProgress', epoch, startedAt }
  const note = `of job ${spec.job}, try ${(status.failures ?? 0) + 1}`
  return decided(seen, {
    status: next,
    findings: findingsOf(next),
    event: { type: 'Normal', reason: 'SavepointStarted', action: 'Take', note },
    againMs: 0,
  })
}

function completed(seen: ObservedSavepoint): SavepointDecision | undefined {
  const { status, pins } = seen
  if (status.phase !== 'Completed') return undefined
  const { status: known, finding, againMs: lookMs, ...acts } = verificationOf(seen)
  const { pins: _former, ...rest } = known
  const next: SavepointStatus = { ...rest, ...(pins.length > 0 && { pins: [...pins] }) }
  const leftMs = expiryMs(seen)
  const againMs = soonest(lookMs, leftMs)
  return decided(seen, {
    status: next,
    findings: [...phaseFindings(next), ...(finding === undefined ? [] : [finding])],
    ...acts,
    expire: leftMs === 0,
    againMs: againMs && Math.min(againMs, 2 ** 31 - 1),
  })
}

/** In which it expires; `undefined`: never, or not while somebody needs it. */
function expiryMs({ spec, status, pins, nowMs }: ObservedSavepoint): number | undefined {
  if (spec.ttl === undefined || spec.pinned || pins.length > 0) return undefined
  const ageMs = nowMs - Date.parse(status.completedAt ?? timeText(nowMs))
  return Math.max(0, (parseDuration(spec.ttl) ?? 0) - ageMs)
}

/** What the status alone says. */
function findingsOf(status: SavepointStatus): readonly SavepointFinding[] {
  const verified = verifiedBefore(status)
  return [...phaseFindings(status), ...(verified === undefined ? [] : [verified])]
}

function phaseFindings(status: SavepointStatus): readonly SavepointFinding[] {
  const { phase = 'Pending', path, error } = status
  const why = `${error?.code ?? ''} ${error?.message ?? ''}: make another Savepoint`
  switch (phase) {
    case 'Completed':
      if (error !== undefined) return useless('Damaged', why)
      return [
        { type: 'Ready', holds: true, reason: 'Completed', message: `its files are at ${path}` },
      ]
    case 'Failed':
      return useless('Failed', why)
    case 'Disposing':
    case 'InProgress':
    case 'Pending': {
      const message = `it is ${phase === 'Pending' ? 'waiting' : phase}`
      return [
        { type: 'Ready', holds: false, reason: phase, message },
        { type: 'Reconciling', holds: true, reason: phase, message },
      ]
    }
  }
}

function useless(reason: string, message: string): readonly SavepointFinding[] {
  return [
    { type: 'Ready', holds: false, reason, message },
    { type: 'Stalled', holds: true, reason, message },
  ]
}
