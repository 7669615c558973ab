/**
 * The end of a stream: hands records to the sink's writer, and its committables to the committer
 * when their checkpoint completed.
 *
 * Owns        the writer and committer of this subtask.
 * Leaves out  the commits' order and retries (`sink-committer.ts`).
 *
 * Invariants
 *  SK1  What the writer got before a barrier is flushed, and in its committables, before the
 *  barrier
 *      is sent on.
 *  SK2  Restored committables are committed before the writer is made: a new writer may clean up
 *      what looks left over.
 */
import type { Sink, SinkContext, SinkWriter, TransactionSummary } from '../../api/sink.ts'
import type { JsonValue } from '../../api/source.ts'
import { assertDefined } from '../../common/assert.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import { WeirError } from '../../common/errors.ts'
import { MAX_TIMESTAMP } from '../../common/timestamps.ts'
import { SinkCommitter } from '../sink-committer.ts'
import type {
  OperatorContext,
  OperatorMetrics,
  Push,
  StreamOperator,
  WatermarkStatus,
} from '../stream-operator.ts'
import type { CommitSettlement, StoredCommittable } from '../task-contract.ts'
import { makeErrorHandler } from '../user-function-errors.ts'

export interface SinkRestore {
  readonly writerState: readonly JsonValue[]
  readonly committables: readonly StoredCommittable[]
}

export class SinkOperator implements StreamOperator {
  inputs: readonly Push[] = []
  /** Read after every record: a small literal, which V8 never turns into a dictionary. */
  readonly brake = { blocked: false }
  readonly #context: OperatorContext
  readonly #sink: Sink<unknown>
  readonly #restored: SinkRestore
  #writer: SinkWriter<unknown> | undefined
  #committer: SinkCommitter | undefined
  #writerState: readonly JsonValue[] = []
  #newest = 0
  /** Records that the committables so far hold. */
  #recordsBefore = 0
  #ended = false

  constructor(context: OperatorContext, sink: Sink<unknown>, restored: SinkRestore) {
    this.#context = context
    this.#sink = sink
    this.#restored = restored
  }

  get blocked(): boolean {
    return this.brake.blocked
  }

  async open(): Promise<void> {
    const { clock, name, metrics } = this.#context
    const sinkContext = this.#sinkContext()
    const committer = await this.#sink.createCommitter?.(sinkContext)
    if (committer !== undefined) {
      this.#committer = new SinkCommitter({ sinkName: name, committer, clock })
      this.#committer.add(this.#restored.committables)
      await this.#committer.commitUpTo(this.#context.restoredCheckpointId ?? 0)
    }
    this.#newest = this.#context.restoredCheckpointId ?? 0
    const writer = await this.#sink.createWriter(sinkContext, this.#restored.writerState)
    this.#writer = writer
    const errors = makeErrorHandler(this.#context)
    const fail = (error: unknown, value: unknown): void => {
      // A value that cannot be written is the record's fault; all else is the world's.
      if (error instanceof WeirError && error.domain === 'user') errors.handle(error, value)
      else throw error
    }
    this.inputs = [cloneFunction(makeWrite)({ writer, metrics, brake: this.brake, fail })]
  }

  /** As of the last `snapshotState`. */
  get snapshotWriterState(): readonly JsonValue[] {
    return this.#writerState
  }

  /** Everything handed over and not yet committed. */
  get committables(): readonly StoredCommittable[] {
    return this.#committer?.pending ?? []
  }

  /** Where no checkpoint is taken, what was written becomes visible at the end. */
  async commitRest(): Promise<void> {
    await this.prepareSnapshot(this.#newest + 1)
    await this.#committer?.commitUpTo(this.#newest)
  }

  async prepareSnapshot(checkpointId: number): Promise<void> {
    const writer = this.#openWriter()
    await writer.flush(this.#ended)
    const committables = await writer.prepareCommit()
    this.#newest = Math.max(this.#newest, checkpointId)
    const records = this.recordsWritten - this.#recordsBefore
    this.#recordsBefore = this.recordsWritten
    this.#committer?.add(
      committables.map(committable => ({
        checkpointId,
        committable,
        transaction: this.#describe(committable, committables.length, records),
      })),
    )
  }

  /** In this attempt, without those that could not be written. */
  get recordsWritten(): number {
    const { recordsIn, recordsSkipped, deadLetters } = this.#context.metrics
    return recordsIn - recordsSkipped - deadLetters
  }

  #describe(
    committable: JsonValue,
    count: number,
    records: number,
  ): TransactionSummary | undefined {
    const told = this.#sink.describeCommittable?.(committable)
    if (told !== undefined || count !== 1) return told
    return { name: typeof committable === 'string' ? committable : 'all', records }
  }

  async snapshotState(checkpointId: number): Promise<void> {
    // A copy: the writer's own objects go on changing while the checkpoint is being stored.
    this.#writerState = structuredClone(await this.#openWriter().snapshotState(checkpointId))
  }

  notifyCheckpointComplete(checkpointId: number): void | Promise<void> {
    return this.#committer?.commitUpTo(checkpointId)
  }

  finish(): boolean {
    this.#ended = true
    return true
  }

  async close(settlement?: CommitSettlement): Promise<void> {
    try {
      await this.#writer?.close()
      // After the writer: it hands nothing over any more.
      if (settlement !== undefined) await this.#committer?.settle(settlement)
    } finally {
      await this.#committer?.close()
    }
  }

  processWatermark(watermark: number): boolean {
    this.#context.metrics.currentWatermark = watermark
    return true
  }

  nextProcessingTime(): number {
    return MAX_TIMESTAMP
  }

  // A sink emits nothing and has no timers.
  processStatus(_status: WatermarkStatus): void {}
  processTime(_now: number): boolean {
    return true
  }
  resume(): boolean {
    return true
  }
  endInput(_input: number): void {}
  notifyCheckpointAborted(_checkpointId: number): void {}

  #sinkContext(): SinkContext {
    const { runtime, clock, jobId, uid, restoredCheckpointId, mailbox } = this.#context
    const { checkpoints, isSuperseded } = this.#context
    return {
      runtime,
      clock,
      jobId,
      operatorUid: uid,
      restoredCheckpointId,
      checkpoints,
      isSuperseded,
      wakeUp: () =>
        mailbox.submit(() => {
          // No record's fault, so not for its error policy.
          if (this.#writer?.failure !== undefined) throw this.#writer.failure
          this.brake.blocked = this.#writer?.blocked ?? false
        }),
    }
  }

  #openWriter(): SinkWriter<unknown> {
    return assertDefined(this.#writer, 'SK1: the sink is open')
  }
}

interface WriteParts {
  readonly writer: SinkWriter<unknown>
  readonly metrics: OperatorMetrics
  readonly brake: { blocked: boolean }
  readonly fail: (error: unknown, value: unknown) => void
}

/** Self-contained: see `cloneFunction`. */
function makeWrite({ writer, metrics, brake, fail }: WriteParts): Push {
  return (value, timestamp) => {
    metrics.recordsIn++
    try {
      writer.write(value, timestamp)
    } catch (error) {
      fail(error, value)
    }
    if (writer.blocked) brake.blocked = true
  }
}
