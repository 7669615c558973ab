/**
 * What a running job tells about itself, as one plain snapshot. The terminal's summary, and later
 * the REST API and the dashboard, read nothing else.
 */
import type { SourceLag } from '../api/source.ts'
import type { JobResult } from './job-result.ts'

/** Those of `jobStatuses`; the last four are ends: those of {@link JobResult}. */
export type JobStatus =
  | 'warm'
  | 'starting'
  | 'running'
  | 'restarting'
  | 'stopping'
  | JobResult['outcome']

export interface VertexProgress {
  /** As in the plan: the names of the chained operators. */
  readonly name: string
  readonly parallelism: number
  /** Records over all subtasks since the job started; 0 for the in of a source. */
  readonly recordsIn: number
  readonly recordsOut: number
  /** ms in [0, 1000] of the last second, averaged over the subtasks; the three sum to 1000. */
  readonly busyMs: number
  readonly idleMs: number
  readonly backpressuredMs: number
  /** The lowest over the subtasks; `MIN_TIMESTAMP` before the first. */
  readonly watermark: number
  /** Of a source that can tell: the records of all subtasks, and the longest time. */
  readonly lag?: SourceLag | undefined
  /** Those that run now, by index. */
  readonly subtasks: readonly SubtaskProgress[]
}

export interface SubtaskProgress {
  readonly index: number
  /** Since the last restart. */
  readonly recordsIn: number
  readonly recordsOut: number
  /** As of the vertex, of this subtask alone. */
  readonly busyMs: number
  readonly idleMs: number
  readonly backpressuredMs: number
  readonly watermark: number
  readonly lag?: SourceLag | undefined
}

export interface CheckpointProgress {
  readonly id: number
  readonly durationMs: number
  readonly sizeBytes: number
}

export interface FailureProgress {
  /** With its code and next step where it is a WeirError. */
  readonly message: string
  /** Until the restart; `undefined` when the job gives up. */
  readonly retryInMs: number | undefined
}

export interface JobProgress {
  readonly name: string
  readonly status: JobStatus
  /** Since the command was given. */
  readonly elapsedMs: number
  /** Records that the sources have read, and that the sinks have written. */
  readonly recordsIn: number
  readonly recordsOut: number
  /** Rejected by an error policy: skipped or sent to a dead letter sink. */
  readonly recordsRejected: number
  /** Bytes of keyed and operator state; `undefined` when the backend cannot tell cheaply. */
  readonly stateSizeBytes: number | undefined
  /** The lowest watermark of the sinks; `MIN_TIMESTAMP` before the first. */
  readonly watermark: number
  readonly checkpointsCompleted: number
  readonly checkpointsFailed: number
  readonly lastCheckpoint: CheckpointProgress | undefined
  /** Why the last checkpoint that failed did. */
  readonly lastCheckpointFailure?: string | undefined
  readonly restarts: number
  readonly lastFailure: FailureProgress | undefined
  readonly vertices: readonly VertexProgress[]
  /** The job cannot begin before these slots are there; `undefined`: it waits for none. */
  readonly waiting?: WaitingProgress
  /** The parallelism of an order to rescale that has not begun; `undefined`: there is none. */
  readonly rescalingTo?: number
}

export interface WaitingProgress {
  readonly slots: readonly number[]
  readonly sinceMs: number
}
