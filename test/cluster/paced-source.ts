/**
 * A bounded source whose readers emit some records, then wait until a checkpoint completed: every
 * run takes as many checkpoints, however fast the machine is.
 */
import type {
  PollResult,
  ReaderContext,
  Source,
  SourceOutput,
  SourceReader,
} from '../../src/api/source.ts'
import { MIN_TIMESTAMP } from '../../src/common/timestamps.ts'
import { type NumberedSplit, numberedSource } from '../../src/connectors/numbered-source.ts'

export interface PacedOptions {
  readonly records: number
  /** Records of one reader from one completed checkpoint to the next. */
  readonly perCheckpoint: number
}

export function pacedSource({
  records,
  perCheckpoint,
}: PacedOptions): Source<number, NumberedSplit> {
  const numbered = numberedSource<number>({
    name: 'paced',
    type: undefined,
    count: records,
    makeRecordAt: () => n => n,
  })
  return { ...numbered, createReader: context => new PacedReader(context, perCheckpoint) }
}

class PacedReader implements SourceReader<number, NumberedSplit> {
  readonly #context: ReaderContext
  readonly #perCheckpoint: number
  #splits: NumberedSplit[] = []
  #left: number
  #noMore = false

  constructor(context: ReaderContext, perCheckpoint: number) {
    this.#context = context
    this.#perCheckpoint = perCheckpoint
    this.#left = perCheckpoint
  }

  start(): void {}

  addSplits(splits: readonly NumberedSplit[]): void {
    this.#splits.push(...splits)
    this.#context.wakeUp()
  }

  notifyNoMoreSplits(): void {
    this.#noMore = true
    this.#context.wakeUp()
  }

  poll(output: SourceOutput<number>): PollResult {
    for (let split = this.#splits[0]; split !== undefined; split = this.#splits[0]) {
      if (split.next >= (split.end ?? 0)) {
        output.finishSplit(split.id)
        this.#splits.shift()
        continue
      }
      if (this.#left === 0) return 'nothing'
      this.#left--
      output.selectSplit(split.id)
      output.offset = split.next
      output.collect(split.next, MIN_TIMESTAMP)
      this.#splits[0] = { ...split, next: split.next + split.step }
    }
    return this.#noMore ? 'end' : 'nothing'
  }

  snapshotState(): readonly NumberedSplit[] {
    return [...this.#splits]
  }

  notifyCheckpointComplete(): void {
    this.#left = this.#perCheckpoint
    this.#context.wakeUp()
  }

  close(): void {}
}
