/**
 * The source contract, after FLIP-27. A *split* is a piece of input with its position. The
 * *enumerator* runs once a job, finds splits and hands them out; a *reader* runs in each subtask
 * and reads the splits it was given. A checkpoint stores the enumerator's state and each reader's
 * splits with the position of the next record to read.
 */
import type { Clock } from '../common/clock.ts'
import type { Schema } from '../schema/type.ts'
import type { RuntimeContext } from './functions.ts'

/** Plain JSON; `id` is unique in its source and the same after a restore. */
export interface SourceSplit {
  readonly id: string
}

/** Plain JSON, kept readable in the checkpoint's metadata. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined }

/** Where records come from. A connector’s `xSource(options)` makes one. */
export interface Source<T, SplitT extends SourceSplit = SourceSplit> {
  readonly name: string
  readonly boundedness: 'bounded' | 'unbounded'
  /** The schema of the records; `undefined` means the general codec. */
  readonly output: Schema<T> | undefined
  /** `state` is what the enumerator's `snapshotState` gave at the restored checkpoint. */
  createEnumerator(context: EnumeratorContext<SplitT>, state?: JsonValue): SplitEnumerator<SplitT>
  createReader(context: ReaderContext): SourceReader<T, SplitT>
}

/** What an enumerator can do. */
export interface EnumeratorContext<SplitT extends SourceSplit> {
  readonly parallelism: number
  readonly clock: Clock
  /** Gives a split to a reader. Held back while a checkpoint is being triggered. */
  assignSplit(split: SplitT, subtaskIndex: number): void
  /** Tells a reader that nothing more will come: it ends after its last split. */
  signalNoMoreSplits(subtaskIndex: number): void
  /** Fails the job with this reason. */
  fail(error: unknown): void
}

/** Finds splits and hands them out; runs once a job. */
export interface SplitEnumerator<SplitT extends SourceSplit> {
  start(): void | Promise<void>
  /** A reader is there; after a failure it may come again with the same index. */
  addReader(subtaskIndex: number): void
  handleSplitRequest(subtaskIndex: number): void
  /**
   * A reader has failed and starts again, while the others go on: these were assigned to it, and
   * the checkpoint that it starts from does not hold them. Called with none, too: the reader is not
   * there until `addReader`. What is assigned to it meanwhile waits for it.
   */
  addSplitsBack(splits: readonly SplitT[], subtaskIndex: number): void
  snapshotState(checkpointId: number): JsonValue
  notifyCheckpointComplete?(checkpointId: number): void
  close(): void | Promise<void>
}

/** What a reader can do beside emitting. */
export interface ReaderContext {
  readonly runtime: RuntimeContext
  readonly clock: Clock
  /** Asks the enumerator for one more split. */
  requestSplit(): void
  /** Wakes the task: `poll` may give something now. */
  wakeUp(): void
}

/** `more`: poll again soon; `nothing`: wait for `wakeUp`; `end`: the last split is finished. */
export type PollResult = 'more' | 'nothing' | 'end'

/** How far a reader is behind what could be read. */
export interface SourceLag {
  /** That wait, here or where they come from. */
  readonly records: number
  /** How old the oldest of them may be, in ms; 0 where none waits. */
  readonly ms: number
}

/** Reads the splits of one subtask. */
export interface SourceReader<T, SplitT extends SourceSplit> {
  start(): void | Promise<void>
  addSplits(splits: readonly SplitT[]): void
  notifyNoMoreSplits(): void
  /**
   * Emits some records, about `output.batchSize` at most, and returns without waiting. Reading
   * happens beside the task (promises that call `wakeUp`); no await per record.
   */
  poll(output: SourceOutput<T>): PollResult
  /** The splits not yet finished, each with the position of the next record. Synchronous. */
  snapshotState(checkpointId: number): readonly SplitT[]
  notifyCheckpointComplete?(checkpointId: number): void
  /** Watermark alignment: stops and resumes single splits. */
  pauseOrResumeSplits?(pause: readonly string[], resume: readonly string[]): void
  /** Asked now and then, for people to see; `undefined` while it is not known. */
  lag?(): SourceLag | undefined
  close(): void | Promise<void>
}

/** Takes the records of the running `poll`. */
export interface SourceOutput<T> {
  readonly batchSize: number
  /** True when downstream is full: `poll` should return soon. */
  readonly blocked: boolean
  /**
   * Selects the split of the records that follow; each split has its own watermark generator.
   * Cheap when it is the same as before.
   */
  selectSplit(splitId: string): void
  /** Where the next record stands in its split, for error reports: an offset or a line number. */
  offset: number
  /** Emits one record. `timestamp` is the source's own, `MIN_TIMESTAMP` when it has none. */
  collect(value: T, timestamp: number): void
  /** The split's records are over: its watermark no longer counts. */
  finishSplit(splitId: string): void
  /**
   * A record could not be parsed: applies the source's error policy. Throws when the job must fail.
   * `record` is the raw text or bytes, cut to a sane length.
   */
  reject(error: unknown, record: unknown): void
}
