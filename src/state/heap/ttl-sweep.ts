/**
 * Drops expired entries of one state little by little: each write looks at a few slots further on,
 * and a snapshot looks at about as many as it walks over.
 */
import type { EntryContents } from './contents.ts'
import type { EntryTable } from './entry-table.ts'
import type { Segment } from './segment.ts'

/**
 * A write passes this many slots. A table has at most three slots an entry, so that a table of n
 * entries is swept once in n writes or sooner.
 */
const SLOTS_A_WRITE = 4

export class TtlSweep {
  readonly #isGone: (segment: Segment, slot: number) => boolean
  readonly #isOn: boolean
  #segments: Iterator<Segment> | undefined = undefined
  #table: EntryTable | undefined = undefined
  #segment: Segment | undefined = undefined
  #next = 0

  constructor(contents: EntryContents, isOn: boolean) {
    this.#isGone = (segment, slot) => contents.isGone(segment, slot)
    this.#isOn = isOn
  }

  /** True when entries may have moved. The entry that was just written is live, and stays. */
  afterWrite(table: EntryTable): boolean {
    return this.advance(table, SLOTS_A_WRITE)
  }

  /** Looks at the next `slots`; true when entries may have moved. */
  advance(table: EntryTable, slots: number): boolean {
    if (!this.#isOn) return false
    const segment = this.#segment
    if (table !== this.#table || segment === undefined || segment.isRetired) {
      this.#begin(table)
      return false
    }
    const before = table.count
    table.removeBetween(segment, this.#next, this.#isGone, slots)
    this.#next += slots
    if (this.#next >= segment.capacity) this.#advance()
    return table.count !== before
  }

  #begin(table: EntryTable): void {
    this.#table = table
    this.#segments = table.segments().values()
    this.#advance()
  }

  #advance(): void {
    this.#segment = this.#segments?.next().value
    this.#next = 0
  }
}
