/**
 * The sink contract: writer -> committable -> committer. At a barrier the writer flushes and hands
 * over committables, which are stored in the checkpoint; after the checkpoint completed the
 * committer makes them visible, idempotently, and again after a recovery.
 *
 * A sink without a committer is at least once, unless its writes are idempotent.
 */
import type { Clock } from '../common/clock.ts'
import type { RuntimeContext } from './functions.ts'
import type { JsonValue } from './source.ts'

/** Where records end. A connector’s `xSink(options)` makes one. */
export interface Sink<IN, CommittableT extends JsonValue = JsonValue> {
  readonly name: string
  /** What the sink promises when the job checkpoints exactly once. */
  readonly delivery: 'exactly-once' | 'at-least-once'
  /** Its writers keep state: the operator needs a uid. Default: where it has a committer. */
  readonly stateful?: boolean
  /** `restored`: what `snapshotState` gave; after a rescale a part of it, or of several writers. */
  createWriter(
    context: SinkContext,
    restored: readonly JsonValue[],
  ): SinkWriter<IN, CommittableT> | Promise<SinkWriter<IN, CommittableT>>
  /**
   * What a committable holds, for the proof of its checkpoint. Without it, the only committable of
   * a barrier holds what its writer got since the one before; of several nothing is said.
   */
  describeCommittable?(committable: CommittableT): TransactionSummary
  createCommitter?(context: SinkContext): Committer<CommittableT> | Promise<Committer<CommittableT>>
}

/** One transaction as people know it. */
export interface TransactionSummary {
  /** Its name in the system that it is committed to: a file, a transactional id. */
  readonly name: string
  readonly records: number
}

/** When the barriers of a job come, as far as that is settled beforehand. */
export interface CheckpointPlan {
  /** From trigger to trigger; `undefined`: only when somebody asks, and at the end. */
  readonly intervalMs: number | undefined
  /** A checkpoint that takes longer is given up. */
  readonly timeoutMs: number
}

/** What a writer or committer may know of its place. */
export interface SinkContext {
  readonly runtime: RuntimeContext
  readonly clock: Clock
  /** Unique for this job and stable over restarts: part of names that must not collide. */
  readonly jobId: string
  readonly operatorUid: string
  /** The checkpoint the job was restored from, if any. */
  readonly restoredCheckpointId: number | undefined
  /** Absent where nothing checkpoints: in a test of the sink alone. */
  readonly checkpoints?: CheckpointPlan | undefined
  /**
   * Whether another attempt of the job has begun since: then this one must not clean up any more,
   * for what it finds may be the other's. Absent where nothing is kept.
   */
  readonly isSuperseded?: (() => Promise<boolean>) | undefined
  /** Wakes the task after `blocked` turned false. */
  wakeUp(): void
}

/** Writes the records of one subtask. */
export interface SinkWriter<IN, CommittableT extends JsonValue = JsonValue> {
  /** Takes one record; buffers, never waits. `timestamp` is `MIN_TIMESTAMP` when it has none. */
  write(value: IN, timestamp: number): void
  /** True when the writer cannot take more now: the task pauses until `wakeUp`. */
  readonly blocked: boolean
  /**
   * Why the writer takes no more, where that was found out beside `write`: the task fails with it.
   * Together with it `blocked` is true, and `wakeUp` is called.
   */
  readonly failure?: unknown
  /**
   * Everything written so far is safe when this resolves. Called at every barrier and at the end.
   */
  flush(endOfInput: boolean): void | Promise<void>
  /** Closes the current transaction. Called right after `flush`; empty when nothing was written. */
  prepareCommit(): readonly CommittableT[] | Promise<readonly CommittableT[]>
  snapshotState(checkpointId: number): readonly JsonValue[] | Promise<readonly JsonValue[]>
  /** Release resources; what is not committed stays uncommitted. Called on every path. */
  close(): void | Promise<void>
}

/** One committable, and what can become of it. */
export interface CommitRequest<CommittableT> {
  readonly committable: CommittableT
  readonly checkpointId: number
  /** How many times it was tried before. */
  readonly retries: number
  /** It was already committed before: fine. */
  alreadyCommitted(): void
  /** Try again later; the job fails after 10 tries. */
  retryLater(cause: unknown): void
  /** It can never be committed: data is lost. The job fails with the reason. */
  failed(cause: unknown): void
}

/** Makes visible what writers prepared. */
export interface Committer<CommittableT extends JsonValue> {
  /** Commits each request or says what became of it. Must be idempotent. */
  commit(requests: readonly CommitRequest<CommittableT>[]): void | Promise<void>
  /**
   * Takes back what no snapshot holds, because the job was cancelled: nobody will commit it.
   * Without it that is left as it is, as it is after a crash.
   */
  abort?(committables: readonly CommittableT[]): void | Promise<void>
  close(): void | Promise<void>
}
