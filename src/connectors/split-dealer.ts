/**
 * The enumerator of sources whose splits are known at the start and all read side by side: reader i
 * of p gets every p-th split at once, and knows that nothing more comes.
 */
import type { EnumeratorContext, JsonValue, SourceSplit, SplitEnumerator } from '../api/source.ts'

export class SplitDealer<SplitT extends SourceSplit> implements SplitEnumerator<SplitT> {
  readonly #context: EnumeratorContext<SplitT>
  /** What no reader has yet, by the reader it is for. */
  readonly #waiting: SplitT[][]

  /** `splits`: all of them, or at a restore the ones that `snapshotState` gave. */
  constructor(context: EnumeratorContext<SplitT>, splits: readonly SplitT[]) {
    this.#context = context
    this.#waiting = Array.from({ length: context.parallelism }, () => [])
    splits.forEach((split, i) => {
      this.#waiting[i % context.parallelism]?.push(split)
    })
  }

  start(): void {}

  addReader(subtaskIndex: number): void {
    const splits = this.#waiting[subtaskIndex]?.splice(0) ?? []
    for (const split of splits) this.#context.assignSplit(split, subtaskIndex)
    this.#context.signalNoMoreSplits(subtaskIndex)
  }

  /** Readers hold all they will ever get. */
  handleSplitRequest(): void {}

  addSplitsBack(splits: readonly SplitT[], subtaskIndex: number): void {
    this.#waiting[subtaskIndex]?.push(...splits)
  }

  snapshotState(): JsonValue {
    return this.#waiting.flat() as unknown as JsonValue
  }

  close(): void {}
}
