/**
 * Which Savepoints a job asks for by itself, and which of those it made are no longer kept. Pure;
 * `reconcile-job-savepoints.ts` performs it.
 *
 * N1  A raised nonce gives one Savepoint, named after it; then it stands in the status.
 * N2  A scheduled one is named after the time that it was due at: nothing is taken twice for it.
 * N3  Retention removes only what the schedule made, never what somebody needs, nor the newest.
 * N4  What a deployment was stopped with goes once a later one is stable and has completed a
 *     checkpoint: until then it may be the way back.
 */
import { parseDuration } from '../../common/duration.ts'
import type { StreamJobSpec } from '../../protocol/stream-job.ts'
import type { StreamJobObject } from '../streamjob/stream-job-object.ts'
import type { SavepointObject } from './savepoint-object.ts'
import { dueTimes } from './savepoint-schedule.ts'

export interface ObservedSavepoints {
  readonly job: StreamJobObject
  readonly spec: StreamJobSpec
  /** Savepoints of the job that it asked for itself. */
  readonly made: readonly MadeSavepoint[]
  /** Those that its deployments were stopped with. */
  readonly stops: readonly StopSavepoint[]
  /** One could be taken now. */
  readonly runs: boolean
  readonly nowMs: number
}

export interface MadeSavepoint {
  readonly object: SavepointObject
  /** When it was due; `undefined`: it was asked for by a nonce. */
  readonly dueMs: number | undefined
}

export interface StopSavepoint {
  readonly object: SavepointObject
  readonly epoch: number
}

export interface WantedSavepoint {
  readonly name: string
  readonly dueMs: number | undefined
}

export interface SavepointsDecision {
  readonly take: readonly WantedSavepoint[]
  /** To be stored as acted on. */
  readonly nonce: number | undefined
  readonly expire: readonly SavepointObject[]
  readonly againMs: number | undefined
}

const TIMER_MAX_MS = 2 ** 31 - 1
/** The smallest distance of two times of a schedule. */
const MINUTE_MS = 60_000

export function decideSavepoints(seen: ObservedSavepoints): SavepointsDecision {
  const { nonce, ...byNonce } = nonceWish(seen)
  const bySchedule = scheduleWish(seen)
  const take = [byNonce.take, bySchedule.take].filter(one => one !== undefined)
  return {
    take,
    nonce,
    expire: [...outdated(seen), ...superseded(seen)],
    againMs: bySchedule.againMs,
  }
}

interface Wish {
  readonly take?: WantedSavepoint | undefined
  readonly nonce?: number | undefined
  readonly againMs?: number | undefined
}

/** N1 */
function nonceWish({ job, spec, made, runs }: ObservedSavepoints): Wish {
  const { savepointNonce: nonce = 0 } = spec
  if (nonce <= (job.status?.nonces?.savepoint ?? 0)) return {}
  const name = `${job.metadata.name}-nonce-${nonce}`
  if (made.some(({ object }) => object.metadata.name === name)) return { nonce }
  return runs ? { take: { name, dueMs: undefined } } : {}
}

/** N2: those that were missed while nobody looked are not made up for. */
function scheduleWish({ job, spec, made, runs, nowMs }: ObservedSavepoints): Wish {
  const { savepoints } = spec
  if (savepoints === undefined) return {}
  const sinceMs = Date.parse(job.metadata.creationTimestamp ?? '')
  const { lastMs, nextMs } = dueTimes(savepoints, sinceMs, nowMs)
  const againMs =
    nextMs === undefined ? undefined : Math.min(TIMER_MAX_MS, Math.max(0, nextMs - nowMs))
  const newestMs = Math.max(0, ...made.map(one => one.dueMs ?? 0))
  const isUnderWay = made.some(
    ({ dueMs, object }) => dueMs !== undefined && isOpen(object.status?.phase),
  )
  const isDue = lastMs !== undefined && lastMs > newestMs
  if (!isDue || !runs || isUnderWay) return { againMs }
  const name = `${job.metadata.name}-at-${Math.floor(lastMs / MINUTE_MS)}`
  return { take: { name, dueMs: lastMs }, againMs }
}

function isOpen(phase: string | undefined): boolean {
  return phase === undefined || phase === 'Pending' || phase === 'InProgress'
}

/** N3 */
function outdated({ spec, made, nowMs }: ObservedSavepoints): readonly SavepointObject[] {
  const { keep, maxAge } = spec.savepoints ?? {}
  if (keep === undefined) return []
  const maxAgeMs = parseDuration(maxAge ?? '') ?? Number.POSITIVE_INFINITY
  const scheduled = made
    .filter(one => one.dueMs !== undefined && !isOpen(one.object.status?.phase))
    .toSorted((a, b) => (b.dueMs ?? 0) - (a.dueMs ?? 0))
    .map(({ object }) => object)
  const whole = scheduled.filter(isWhole)
  const [newest, ...older] = whole
  const tooMany = whole.slice(keep)
  const tooOld = older.filter(
    ({ status }) => nowMs - Date.parse(status?.completedAt ?? '') > maxAgeMs,
  )
  const newestAt = newest === undefined ? -1 : scheduled.indexOf(newest)
  // That one failed or is damaged is worth knowing until a later one completed.
  const failed = scheduled.filter((one, at) => isUseless(one) && newestAt >= 0 && at > newestAt)
  return [...new Set([...tooMany, ...tooOld, ...failed])].filter(isFree)
}

function isWhole({ status }: SavepointObject): boolean {
  return status?.phase === 'Completed' && status.error === undefined
}

function isUseless({ status }: SavepointObject): boolean {
  return status?.phase === 'Failed' || (status?.phase === 'Completed' && status.error !== undefined)
}

/** N4 */
function superseded({ job, stops }: ObservedSavepoints): readonly SavepointObject[] {
  const { state, upgrade, revision } = job.status ?? {}
  const isSettled = upgrade === undefined && revision?.stable === revision?.current
  if (state === undefined || !isSettled) return []
  return stops
    .filter(({ epoch, object: { status } }) => {
      const isThere = status?.phase === 'Completed'
      return isThere && state.epoch > epoch && state.path !== status.path
    })
    .map(({ object }) => object)
    .filter(isFree)
}

function isFree({ metadata, spec, status }: SavepointObject): boolean {
  const { pinned } = spec as { readonly pinned?: boolean }
  const isNeeded = pinned === true || (status?.pins?.length ?? 0) > 0
  return !isNeeded && metadata.deletionTimestamp === undefined
}
