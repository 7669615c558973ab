/**
 * The head of a chain that begins with a source: polls the reader and ticks its watermarks.
 *
 * Owns        the reader of this subtask, and when the next watermark tick is due.
 * Leaves out  when to poll: the task does, while its outputs have room.
 *
 * Invariants
 *  R1  Nothing is polled after `stop`, nor after the reader said `end`.
 *  R2  A snapshot holds each unfinished split with the position after the last emitted record.
 */
import type { PollResult, SourceLag, SourceReader, SourceSplit } from '../../api/source.ts'
import type { OperatorSpec } from '../../api/transformation.ts'
import type { WatermarkStrategy } from '../../api/watermark-strategy.ts'
import { assert, assertDefined } from '../../common/assert.ts'
import { MAX_TIMESTAMP } from '../../common/timestamps.ts'
import type { RecordCoordinates } from '../../schema/located-type.ts'
import { PeriodicTick } from '../periodic-tick.ts'
import { type Brakes, SourceRecords } from '../source-output.ts'
import type { OperatorContext, Push, StreamOperator, WatermarkStatus } from '../stream-operator.ts'
import type { AlignmentGroups, AlignmentMember } from '../watermark-alignment.ts'

/** What a source needs of its task beyond the operator's context. */
export interface SourceHooks {
  requestSplit(): void
  wakeUp(): void
  readonly brakes: Brakes
  readonly alignment: AlignmentGroups
  readonly watermarkIntervalMs: number
  /** Channels of the widest output. */
  readonly outputChannels: number
  /** How long the task was held back since its start: no time to become idle in. */
  heldBackMs(): number
}

export class SourceOperator implements StreamOperator {
  readonly inputs: readonly Push[] = []
  readonly blocked = false
  readonly #context: OperatorContext
  readonly #spec: Extract<OperatorSpec, { kind: 'source' }>
  readonly #hooks: SourceHooks
  #reader: SourceReader<unknown, SourceSplit> | undefined
  #records: SourceRecords | undefined
  #alignment: AlignmentMember | undefined
  #splits: readonly SourceSplit[] = []
  /** `undefined`: nothing depends on processing time. */
  #tick: PeriodicTick | undefined
  #over = false

  constructor(
    context: OperatorContext,
    spec: Extract<OperatorSpec, { kind: 'source' }>,
    hooks: SourceHooks,
  ) {
    this.#context = context
    this.#spec = spec
    this.#hooks = hooks
  }

  async open(): Promise<void> {
    const { source, watermarks } = this.#spec
    const context = this.#context
    const { alignment } = watermarks
    this.#alignment = alignment && this.#hooks.alignment.join(alignment, () => this.#hooks.wakeUp())
    this.#records = new SourceRecords({
      sourceName: context.name,
      strategy: watermarks,
      context,
      emit: context.emit,
      metrics: context.metrics,
      brakes: this.#hooks.brakes,
      pollsPerWatermark: Math.max(1, this.#hooks.outputChannels),
      alignment: this.#alignment,
      pauseOrResume: (pause, resume) => this.#reader?.pauseOrResumeSplits?.(pause, resume),
      output: context,
    })
    this.#reader = source.createReader({
      runtime: context.runtime,
      clock: context.clock,
      requestSplit: () => this.#hooks.requestSplit(),
      wakeUp: () => this.#hooks.wakeUp(),
    })
    if (needsTicks(watermarks)) {
      this.#tick = new PeriodicTick(context.clock, this.#hooks.watermarkIntervalMs)
    }
    await this.#reader.start()
  }

  /** Lets the reader emit about this many records. */
  poll(batchSize: number): PollResult {
    if (this.#over) return 'end'
    const records = this.#openRecords()
    // The group wakes this task when the others have caught up.
    if (records.align()) return 'nothing'
    records.beginPoll(batchSize)
    const result = this.#openReader().poll(records.output)
    records.endPoll(result !== 'more')
    // The others may be waiting for what this poll let advance.
    records.align()
    if (result === 'end') this.stop()
    return result
  }

  addSplits(splits: readonly SourceSplit[]): void {
    assert(this.#reader !== undefined, 'R1: splits come to an open reader')
    for (const split of splits) this.#openRecords().registerSplit(split.id)
    this.#reader.addSplits(splits)
  }

  noMoreSplits(): void {
    this.#openReader().notifyNoMoreSplits()
  }

  /** Emits nothing more from now on. */
  stop(): void {
    this.#over = true
    this.#alignment?.leave()
  }

  /** Ends event time: before the end of a drained input. */
  endEventTime(): void {
    this.#openRecords().end()
  }

  /** As of the last `snapshotState`. */
  get snapshotSplits(): readonly SourceSplit[] {
    return this.#splits
  }

  recordsPerSplit(): { readonly [splitId: string]: number } {
    return this.#records?.recordsPerSplit() ?? {}
  }

  lag(): SourceLag | undefined {
    return this.#over ? undefined : this.#reader?.lag?.()
  }

  coordinates(): RecordCoordinates | undefined {
    return this.#records?.coordinates()
  }

  nextProcessingTime(): number {
    return this.#over || this.#tick === undefined ? MAX_TIMESTAMP : this.#tick.nextMs
  }

  processTime(now: number): boolean {
    if (this.#over || this.#tick?.take(now) !== true) return true
    const records = this.#openRecords()
    records.tick(now - this.#hooks.heldBackMs())
    records.align()
    return true
  }

  snapshotState(checkpointId: number): void {
    // A copy: the reader's own objects go on changing while the checkpoint is being stored.
    this.#splits = structuredClone(this.#openReader().snapshotState(checkpointId))
  }

  notifyCheckpointComplete(checkpointId: number): void {
    this.#reader?.notifyCheckpointComplete?.(checkpointId)
  }

  close(): void | Promise<void> {
    this.#alignment?.leave()
    return this.#reader?.close()
  }

  // A source has no input: what follows is never called, or has nothing to do.
  processWatermark(_watermark: number): boolean {
    return true
  }
  processStatus(_status: WatermarkStatus): void {}
  resume(): boolean {
    return true
  }
  endInput(_input: number): void {}
  finish(): boolean {
    return true
  }
  prepareSnapshot(_checkpointId: number): void {}
  notifyCheckpointAborted(_checkpointId: number): void {}

  #openReader(): SourceReader<unknown, SourceSplit> {
    return assertDefined(this.#reader, 'R1: the source is open')
  }

  #openRecords(): SourceRecords {
    return assertDefined(this.#records, 'R1: the source is open')
  }
}

function needsTicks(watermarks: WatermarkStrategy<unknown>): boolean {
  return watermarks.idlenessMs > 0 || watermarks.makeGenerator !== undefined
}
