/**
 * The words between a task (one subtask of one vertex) and whoever runs it: the executor of a slot.
 * The task knows neither files nor sockets; the executor stores snapshots and reports to the job.
 */
import type { TransactionSummary } from '../api/sink.ts'
import type { JsonValue, SourceLag, SourceSplit } from '../api/source.ts'
import type { OperatorKind } from '../api/transformation.ts'
import type { KeyedSnapshot, RestoredKeyedState } from '../state/keyed-state-backend.ts'
import type { OperatorStateSnapshot } from '../state/operator-state-backend.ts'
import type { OperatorMetrics } from './stream-operator.ts'
import type { ChannelMark } from './watermark-valve.ts'

/** How a barrier passes data: `timeout` is aligned until `timeoutMs` after its trigger. */
export type BarrierAlignment =
  | { readonly kind: 'aligned' }
  | { readonly kind: 'unaligned' }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }

export interface CheckpointBarrier {
  readonly checkpointId: number
  /** When the checkpoint was triggered, ms since the epoch: timeouts count from here. */
  readonly timestamp: number
  readonly kind: 'checkpoint' | 'savepoint'
  readonly alignment: BarrierAlignment
}

/** One operator's part of a task's snapshot. */
export interface OperatorSnapshot {
  /** The operator's id in the job graph: its uid, or derived from the structure when stateless. */
  readonly operatorId: string
  readonly keyed: KeyedSnapshot | undefined
  readonly operatorState: readonly OperatorStateSnapshot[]
  /** A source reader's unfinished splits with their positions. */
  readonly splits: readonly SourceSplit[] | undefined
  /** A sink's state: plain JSON, kept readable in the metadata. */
  readonly writerState: readonly JsonValue[] | undefined
  readonly committables: readonly StoredCommittable[] | undefined
}

export interface StoredCommittable {
  readonly checkpointId: number
  readonly committable: JsonValue
  /** What it holds, where that is known. */
  readonly transaction?: TransactionSummary | undefined
}

/** Times are ms; the phases of one subtask's checkpoint. */
export interface SnapshotMetrics {
  readonly alignmentMs: number
  readonly startDelayMs: number
  /** The barrier overtook data here, or did not wait for others. */
  readonly unaligned: boolean
  /** Bytes of data in flight. */
  readonly inFlightBytes: number
  readonly syncMs: number
  readonly asyncMs: number
  /** Records emitted by this source subtask in this attempt, per split: the proof. */
  readonly recordsPerSplit: { readonly [splitId: string]: number }
  /** Records written by the sinks of this subtask in this attempt, by operator. */
  readonly recordsPerSink?: { readonly [operatorId: string]: number } | undefined
}

/** Data in flight on one channel at the cut, on one side of it, and where its event time stood. */
export interface ChannelSnapshot {
  readonly edgeId: string
  /** Subtasks. */
  readonly from: number
  readonly to: number
  /** On the receiver's side, or the sender's. */
  readonly direction: 'input' | 'output'
  /** Of an input. */
  readonly mark: ChannelMark | undefined
  /** See `network/channel-state.ts`; empty when nothing was in flight. */
  readonly chunks: readonly Buffer[]
}

/** One channel of an old sender to an old receiver, as its new receiver gets it. */
export interface ChannelRestore {
  readonly edgeId: string
  readonly from: number
  readonly to: number
  readonly mark: ChannelMark
  /** The data of the input side, then that of the output side. */
  readonly sections: readonly Buffer[]
  /** True: other subtasks get it too, and each takes the records that its partitioner gives it. */
  readonly filtered: boolean
  /** Its records were stored with their coordinates, whatever the edge carries now. */
  readonly isLocated?: boolean
}

export interface TaskSnapshot {
  readonly checkpointId: number
  readonly kind: CheckpointBarrier['kind']
  readonly vertexId: string
  readonly subtaskIndex: number
  readonly operators: readonly OperatorSnapshot[]
  /** Empty for an aligned checkpoint. */
  readonly channels: readonly ChannelSnapshot[]
  readonly metrics: SnapshotMetrics
}

/** What one operator subtask gets back, already redistributed for the new parallelism. */
export interface OperatorRestore {
  readonly keyed: readonly RestoredKeyedState[]
  readonly operatorState: readonly OperatorStateSnapshot[]
  readonly writerState: readonly JsonValue[]
  readonly committables: readonly StoredCommittable[]
}

export interface TaskRestore {
  readonly checkpointId: number
  readonly operators: ReadonlyMap<string, OperatorRestore>
  /** To be taken before anything new; empty unless data was in flight. */
  readonly channels: readonly ChannelRestore[]
}

/** Task -> executor. All calls happen on the task's thread, outside of records. */
export interface TaskListener {
  running(): void
  /** The snapshot's bytes are complete; the executor stores them and then acknowledges. */
  snapshotTaken(snapshot: TaskSnapshot): void
  declined(checkpointId: number, reason: string): void
  /** A source reader wants a split. */
  requestSplit(operatorId: string): void
  /** All inputs are over and everything was emitted; the task lives on until `finishTask`. */
  drained(): void
  finished(): void
  failed(error: unknown): void
}

/** Which snapshots will ever be restored, of a job that was cancelled. */
export interface CommitSettlement {
  /** The newest completed checkpoint: what it and older ones hold can be committed. */
  readonly commitUpTo: number
  /**
   * The newest completed snapshot, which may be a savepoint: what came after it is in none. What a
   * savepoint alone holds is committed by who restores it, and by nobody else.
   */
  readonly abortBeyond: number
}

/** Executor -> task. Calls only note what is to be done; the task does it between two records. */
export interface TaskControl {
  /** Starts a checkpoint here: for tasks with a source. */
  triggerCheckpoint(barrier: CheckpointBarrier): void
  notifyCheckpointComplete(checkpointId: number): void
  notifyCheckpointAborted(checkpointId: number): void
  addSplits(operatorId: string, splits: readonly SourceSplit[]): void
  noMoreSplits(operatorId: string): void
  /** Stops sources: they emit no more and end their output; with `drain`, MAX watermark first. */
  stopSources(drain: boolean): void
  /** After the final checkpoint completed: close, then `finished`. */
  finishTask(): void
  /** Close at once; nothing more is emitted or reported. Resolves when closed. */
  cancel(settlement?: CommitSettlement): Promise<void>
  readonly metrics: TaskMetrics
}

/** Read by whoever shows progress; plain fields that the task's loop updates. */
export interface TaskMetrics {
  readonly vertexId: string
  readonly subtaskIndex: number
  readonly recordsIn: number
  readonly recordsOut: number
  readonly watermark: number
  /** Since the start, ms: where the loop's time went. The three sum to the time the task ran. */
  readonly busyMs: number
  readonly idleMs: number
  readonly backpressuredMs: number
  /** Of a task that begins with a source, where that can tell. */
  readonly lag?: SourceLag | undefined
  /** Head first. */
  readonly operators: readonly OperatorProgress[]
}

/** One operator of the chain; its counters go on counting. */
export interface OperatorProgress {
  readonly operatorId: string
  readonly name: string
  readonly kind: OperatorKind
  readonly metrics: Readonly<OperatorMetrics>
}
