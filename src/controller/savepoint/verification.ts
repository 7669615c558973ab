/**
 * Whether the files of a Savepoint are what was written, as `spec.verify` asks for: a pod reads
 * them once they are whole, and what it says stands in the status. Pure.
 *
 * C1  What was found is stored before the pod goes that found it: a controller that comes after
 *     finds either, and reads nothing twice.
 * C2  A pod that could not read says nothing of the files: another tries, a few times.
 */
import {
  readSavepointReport,
  type SavepointReport,
  type WholeSavepoint,
} from '../../protocol/savepoint-report.ts'
import { type FindingOf, findingsIn, timeText } from '../conditions.ts'
import type { EventWords } from '../kube/event-series.ts'
import { remainingMs } from '../remaining-ms.ts'
import type { PodObject } from '../streamjob/pod-facts.ts'
import type { VerbPod } from '../streamjob/verb-pod.ts'
import type { ObservedSavepoint } from './observed-savepoint.ts'
import type { SavepointStatus } from './savepoint-object.ts'

export type VerifiedFinding = FindingOf<'Verified'>

export interface Verification {
  /** With what was found. */
  readonly status: SavepointStatus
  /** `undefined`: nobody asked for it. */
  readonly finding: VerifiedFinding | undefined
  /** The number of the pod that reads the files now. */
  readonly verify?: number
  /** First it is recorded what could read them. */
  readonly record?: boolean
  /** Pods that have said what they had to say. */
  readonly sweep?: readonly PodObject[]
  readonly event?: EventWords
  readonly againMs?: number
}

/** Where all of them fail the store is away for long, or the rights are not enough. */
const TRIES_MAX = 5
const FIRST_DELAY_MS = 10_000
const RECORD_WAIT_MS = 60_000

/** By the mode that was asked for. */
const reasons = { checksum: 'ChecksumsMatch', restore: 'StateReadable' } as const

/** Of one that is Completed. */
export function verificationOf(seen: ObservedSavepoint): Verification {
  const { spec, status, verifications, isRecorded, job } = seen
  if (spec.verify === 'none') return { status, finding: undefined, sweep: podsOf(verifications) }
  if (isSettled(seen)) {
    return { status, finding: verifiedBefore(status), sweep: podsOf(verifications) }
  }
  if (!isRecorded) {
    const whose = spec.existing?.job ?? spec.job
    const message =
      whose === undefined
        ? 'spec.existing.job is not set: it says by whose rights the files are read'
        : `job ${whose} is not there, by whose rights the files would be read`
    if (!job.isThere) return { status, finding: unverified('NobodyMayRead', message) }
    const finding = unverified('Verifying', 'it is to be read')
    return { status, finding, record: true, againMs: RECORD_WAIT_MS }
  }
  const last = verifications.at(-1)
  return last === undefined
    ? { status, finding: unverified('Verifying', 'it is to be read'), verify: 1 }
    : follow(seen, last)
}

/** What was found last, as it is kept: whatever else becomes of the Savepoint. */
export function verifiedBefore({ conditions }: SavepointStatus): VerifiedFinding | undefined {
  return findingsIn(conditions, ['Verified'])[0]
}

/** Files that are damaged stay so; those that were only compared may be read more closely. */
function isSettled({ spec, status }: ObservedSavepoint): boolean {
  if (status.error !== undefined) return true
  if (status.verifiedAt === undefined) return false
  const { reason } = verifiedBefore(status) ?? {}
  return spec.verify !== 'restore' || reason === reasons.restore
}

function unverified(reason: string, message: string): VerifiedFinding {
  return { type: 'Verified', holds: false, reason, message }
}

function podsOf(pods: readonly VerbPod[]): readonly PodObject[] {
  return pods.map(one => one.pod).filter(pod => pod.metadata.deletionTimestamp === undefined)
}

function follow(seen: ObservedSavepoint, last: VerbPod): Verification {
  const { status, nowMs } = seen
  const { name } = last.pod.metadata
  const report = readSavepointReport(last.word)
  if (report !== undefined && last.state !== 'running') return found(seen, report)
  if (last.state === 'running') {
    const because = last.why === undefined ? '' : `: ${last.why}`
    return { status, finding: unverified('Verifying', `pod ${name} reads it${because}`) }
  }
  const why = last.why ?? 'no reason was given'
  const { path = '' } = status
  if (last.number >= TRIES_MAX) {
    const message =
      `${last.number} pods could not read it, the last: ${why}; ` +
      `see that the job reaches its storage, then weir savepoint verify ${path}`
    return { status, finding: unverified('VerificationFailed', message) }
  }
  const leftMs = remainingMs(last.endedMs, FIRST_DELAY_MS * 2 ** (last.number - 1), nowMs)
  const message = `pod ${name} could not read it: ${why}; another one tries`
  const finding = unverified('Verifying', message)
  return leftMs === 0
    ? { status, finding, verify: last.number + 1 }
    : { status, finding, againMs: leftMs }
}

/** C1 */
function found(seen: ObservedSavepoint, report: SavepointReport): Verification {
  const { status, spec } = seen
  const { path = '' } = status
  if ('error' in report) {
    const { code, message } = report.error
    const note = `${path}: ${code} ${message}`
    return {
      status: { ...status, error: { code, message } },
      finding: unverified('Damaged', note),
      event: { type: 'Warning', reason: 'SavepointDamaged', action: 'Verify', note },
    }
  }
  const { checksum, sizeBytes, entries } = report
  const read = entries === undefined ? '' : `, ${entries} keys and timers could be read`
  const message = `${sizeBytes} bytes are as they were written${read} (${checksum})`
  const reason = reasons[entries === undefined ? 'checksum' : 'restore']
  return {
    status: { ...status, ...facts(report, spec.existing !== undefined), ...at(seen) },
    finding: { type: 'Verified', holds: true, reason, message },
    event: { type: 'Normal', reason: 'SavepointVerified', action: 'Verify', note: message },
  }
}

function at({ nowMs }: ObservedSavepoint) {
  return { verifiedAt: timeText(nowMs) }
}

/** Of a folder that was made known only its name was known. */
function facts(report: WholeSavepoint, isAdopted: boolean): Partial<SavepointStatus> {
  const { checkpointId, completedAtMs, formatVersion, checksum, sizeBytes } = report
  const own = { formatVersion, checksum, sizeBytes }
  return isAdopted ? { ...own, checkpointId, completedAt: timeText(completedAtMs) } : own
}
