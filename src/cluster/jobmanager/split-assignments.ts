import type { SourceSplit } from '../../api/source.ts'

type ByReader = Map<number, SourceSplit[]>

/**
 * Which splits each reader of a source was given since which checkpoint: those that a restored
 * checkpoint does not hold go back to the enumerator. Completed checkpoints are forgotten; where
 * none is ever taken all splits are remembered, for all would have to go back.
 */
export class SplitAssignments {
  /** Since the last snapshot. */
  #latest: ByReader = new Map()
  /** By snapshot, oldest first: what was given before it, and after the one before it. */
  readonly #before = new Map<number, ByReader>()

  given(split: SourceSplit, reader: number): void {
    const splits = this.#latest.get(reader) ?? []
    splits.push(split)
    this.#latest.set(reader, splits)
  }

  /** A snapshot is being taken: it holds all that was given so far. */
  cut(checkpointId: number): void {
    this.#before.set(checkpointId, this.#latest)
    this.#latest = new Map()
  }

  completed(checkpointId: number): void {
    for (const id of this.#before.keys()) if (id <= checkpointId) this.#before.delete(id)
  }

  /** What the reader was given since this checkpoint, oldest first; it is forgotten here. */
  takeBack(reader: number, checkpointId: number): readonly SourceSplit[] {
    const back: SourceSplit[] = []
    for (const [id, given] of this.#before) {
      if (id <= checkpointId) continue
      back.push(...(given.get(reader) ?? []))
      given.delete(reader)
    }
    back.push(...(this.#latest.get(reader) ?? []))
    this.#latest.delete(reader)
    return back
  }
}
