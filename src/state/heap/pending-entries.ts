/**
 * Which entries a running snapshot still has to write. The walk goes up entry by entry; what is
 * about to be changed ahead of it is written first and marked. One bit an entry, kept only while it
 * runs.
 *
 * Invariant
 *  P1  An entry is taken at most once a snapshot.
 */
const noBits = new Int32Array(0)

export class PendingEntries {
  /** Entries at or above it are not in the snapshot; 0 when none runs. */
  end = 0
  #cursor = 0
  #taken: Int32Array = noBits

  begin(end: number): void {
    this.end = end
    this.#cursor = 0
    this.#taken = new Int32Array((end + 31) >>> 5)
  }

  finish(): void {
    this.end = 0
    this.#taken = noBits
  }

  /** Marks an entry below `end`; true when it has yet to be written. */
  take(entry: number): boolean {
    if (entry < this.#cursor) return false
    const word = this.#taken[entry >>> 5] as number
    const bit = 1 << (entry & 31)
    this.#taken[entry >>> 5] = word | bit
    return (word & bit) === 0
  }

  /** The walk's next entry that nobody took, below `stop`; -1 when there is none, for good. */
  next(stop: number): number {
    while (this.#cursor < stop && this.#cursor < this.end) {
      const entry = this.#cursor++
      if (((this.#taken[entry >>> 5] as number) & (1 << (entry & 31))) === 0) return entry
    }
    return -1
  }

  /** Everything below it was walked over. */
  get cursor(): number {
    return this.#cursor
  }

  get isDone(): boolean {
    return this.#cursor >= this.end
  }
}
