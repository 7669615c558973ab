/**
 * Drops expired entries of one state little by little: each write looks at a few slots further on,
 * and a snapshot looks at about as many as it walks over.
 */
import type { EntryContents } from './contents.ts'
import type { EntryTable, IsGone } from './entry-table.ts'
import type { Generation } from './generation.ts'

/**
 * A write passes this many slots. A table has at most three slots an entry, so that a table of n
 * entries is swept once in n writes or sooner.
 */
const SLOTS_A_WRITE = 4

export class TtlSweep {
  readonly #isGone: IsGone
  readonly #isOn: boolean
  #generation: Generation | undefined = undefined
  #next = 0

  constructor(contents: EntryContents, isOn: boolean) {
    this.#isGone = (generation, slot) => contents.isGone(generation, slot)
    this.#isOn = isOn
  }

  /** True when entries may have moved. The entry that was just written is live, and stays. */
  afterWrite(table: EntryTable): boolean {
    return this.advance(table, SLOTS_A_WRITE)
  }

  /** Looks at the next `count` slots; true when entries may have moved. */
  advance(table: EntryTable, count: number): boolean {
    if (!this.#isOn) return false
    const { main } = table
    if (main !== this.#generation || this.#next >= main.capacity) {
      this.#generation = main
      this.#next = 0
    }
    const before = table.count
    table.removeFrom(main, { from: this.#next, count, isGone: this.#isGone })
    this.#next += count
    return table.count !== before
  }
}
