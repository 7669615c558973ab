/**
 * What of a job's facts stands in its status: where its state lies, its checkpoints, its restarts.
 * Pure.
 *
 * S1  The state pointer, ordered by epoch and checkpoint id, never goes back.
 * S2  A checkpoint that is merely newer is written after a while only: a thousand jobs with a
 *     checkpoint each second must not keep the API server busy. What is awaited is written at once.
 */
import { redactText } from '../../common/redact.ts'
import type { JobFacts, SnapshotFacts } from '../../protocol/job-facts.ts'
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import { timeText } from '../conditions.ts'

const NEWER_BY_MS = 10_000
const REASON_CHARS_MAX = 1_024

export type JobState = Pick<StreamJobStatus, 'state' | 'checkpoint' | 'restarts'>

export interface StateContext {
  readonly before: StreamJobStatus
  /** Of the jobmanager that says so. */
  readonly epoch: number
  /** Somebody waits for the next checkpoint. */
  readonly isAwaited: boolean
}

export function jobState(facts: JobFacts, { before, epoch, isAwaited }: StateContext): JobState {
  const { checkpoints, lastFailure, latest, restarts } = facts
  const { failuresInRow } = checkpoints
  const isQuiet =
    !isAwaited &&
    before.checkpoint?.failuresInRow === failuresInRow &&
    before.state?.epoch === epoch &&
    latest !== null &&
    // Either way: another jobmanager's node may have another clock.
    Math.abs(latest.completedAtMs - Date.parse(before.state.completedAt)) < NEWER_BY_MS
  const state = isQuiet ? before.state : pointer(before.state, latest, epoch)
  const checkpoint = isQuiet
    ? before.checkpoint
    : {
        ...(state !== undefined && { id: state.checkpointId, completedAt: state.completedAt }),
        failuresInRow,
      }
  const lastReason = lastFailure && redactText(lastFailure.message).slice(0, REASON_CHARS_MAX)
  return {
    ...(state !== undefined && { state }),
    ...(checkpoint !== undefined && { checkpoint }),
    restarts: { count: restarts, ...(lastReason !== null && { lastReason }) },
  }
}

type Pointer = NonNullable<StreamJobStatus['state']>

/** S1: what was restored has an older id than what another epoch left, but a newer epoch. */
function pointer(
  before: Pointer | undefined,
  latest: SnapshotFacts | null,
  epoch: number,
): Pointer | undefined {
  if (latest === null) return before
  const { id: checkpointId, kind, path, completedAtMs, sizeBytes } = latest
  const isOlder =
    before !== undefined &&
    (epoch < before.epoch || (epoch === before.epoch && checkpointId < before.checkpointId))
  if (isOlder) return before
  const completedAt = timeText(completedAtMs)
  return { epoch, checkpointId, kind, path, completedAt, sizeBytes }
}
