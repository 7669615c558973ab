/**
 * The contract of a dataflow operator at run time: one instance per subtask, driven by its task's
 * single thread. No method may wait per record; what must wait says so by `blocked` or a promise
 * where the contract allows one.
 *
 * Life: constructed with its context -> open -> (records, watermarks, timers, snapshots)* ->
 * endInput per input -> finish -> close. After a failure: close only.
 *
 * Invariants
 *  O1  Results of a record, timer or watermark leave through `context.emit` before the call
 *      returns, except by operators that are asynchronous by nature; these keep their order to
 *      watermarks.
 *  O2  An operator sends a watermark on only after everything that it lets fire was emitted.
 *  O3  A snapshot happens between two records, never inside one.
 */
import type { ErrorPolicy, Key, KeySelector, RuntimeContext } from '../api/functions.ts'
import type { CheckpointPlan } from '../api/sink.ts'
import type { Clock } from '../common/clock.ts'
import type { RecordCoordinates } from '../schema/located-type.ts'
import type { Type } from '../schema/type.ts'
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts'
import type { OperatorStateBackend } from '../state/operator-state-backend.ts'

/** Takes one record. `timestamp` is `MIN_TIMESTAMP` where the record has none. */
export type Push = (value: unknown, timestamp: number) => void

/** Plain number fields, copied into gauges when scraped. */
export interface OperatorMetrics {
  recordsIn: number
  recordsOut: number
  lateRecordsDropped: number
  recordsSkipped: number
  deadLetters: number
  currentWatermark: number
}

/** Work handed to the task's thread: runs between two records. */
export interface Mailbox {
  submit(action: () => void): void
}

/** What an operator gets from its task. */
export interface OperatorContext {
  readonly uid: string
  readonly name: string
  readonly jobId: string
  readonly subtaskIndex: number
  readonly parallelism: number
  readonly maxParallelism: number
  readonly restoredCheckpointId: number | undefined
  readonly checkpoints?: CheckpointPlan | undefined
  readonly isSuperseded?: (() => Promise<boolean>) | undefined
  readonly runtime: RuntimeContext
  readonly clock: Clock
  readonly inputTypes: readonly Type<unknown>[]
  /** One a keyed input; empty when the operator is not keyed. */
  readonly keySelectors: readonly KeySelector<unknown, Key>[]
  readonly errorPolicy: ErrorPolicy
  readonly metrics: OperatorMetrics
  readonly mailbox: Mailbox
  /** Sends a result on: the next operator of the chain, or the partitioners. Counts nothing. */
  readonly emit: Push
  /** Sends to a side output; a no-op where nobody listens. */
  sideOutput(tagId: string): Push
  emitWatermark(watermark: number): void
  emitStatus(status: WatermarkStatus): void
  /** The keyed state of this operator, restored. Asserts that the operator is keyed. */
  keyedState(): KeyedStateBackend
  readonly operatorState: OperatorStateBackend
  /** The task's processing time: the same for all callbacks of one turn of its loop. */
  processingTime(): number
  /** True when the outputs are full: a burst of timers should stop and go on in `resume`. */
  outputFull(): boolean
  /**
   * Where the record being processed came from: in a chain that begins with a source, or where the
   * input carries it (`JobEdge.isLocated`). `undefined` between records: what windows and timers
   * give came from none.
   */
  coordinates(): RecordCoordinates | undefined
  /** What is emitted from now on came from there, until this is called again. */
  locate(coordinates: RecordCoordinates | undefined): void
}

/** An idle input holds no watermark back. */
export type WatermarkStatus = 'active' | 'idle'

export interface StreamOperator {
  /** One function an input; made in `open`, one clone an instance (see `cloneFunction`). */
  readonly inputs: readonly Push[]
  /** True while no more input can be taken; the task then waits for a mailbox action. */
  readonly blocked: boolean
  open(): void | Promise<void>
  /**
   * Advances event time: fires what is due, then sends the watermark on (O2). False when it stopped
   * because the outputs are full: the task calls `resume` until it returns true, and gives no input
   * meanwhile.
   */
  processWatermark(watermark: number): boolean
  processStatus(status: WatermarkStatus): void
  /** Fires processing-time timers that are due now. False as above. */
  processTime(now: number): boolean
  resume(): boolean
  /** The earliest processing-time timer, `MAX_TIMESTAMP` when none. */
  nextProcessingTime(): number
  /** An input is over (its MAX watermark was processed before). */
  endInput(input: number): void
  /** All inputs are over: emits what is left. False while something is pending: called again. */
  finish(): boolean
  /**
   * In place of `finish` where a job stops without a drain: nothing may be emitted any more, and
   * what is held goes into the last snapshot.
   */
  hold?(): void
  /** Before the barrier is sent on: sink writers flush and hand over their committables. */
  prepareSnapshot(checkpointId: number): void | Promise<void>
  /** Writes volatile parts into operator or keyed state, which are snapshotted right after. */
  snapshotState(checkpointId: number): void | Promise<void>
  notifyCheckpointComplete(checkpointId: number): void | Promise<void>
  notifyCheckpointAborted(checkpointId: number): void
  close(): void | Promise<void>
}
