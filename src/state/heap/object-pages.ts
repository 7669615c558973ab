/**
 * A long array of anything, in pages that are made when they are first written: neither making nor
 * growing it ever fills megabytes at once.
 */
const SHIFT = 14
const PAGE = 1 << SHIFT

/** 2^32 over the golden ratio, as a small integer of V8: Fibonacci hashing, Knuth, TAOCP 3, 6.4. */
export const GOLDEN = -0x61c8864f

export class ObjectPages {
  readonly #pages: (unknown[] | undefined)[]
  readonly #pageLength: number

  constructor(length: number) {
    this.#pageLength = Math.min(length, PAGE)
    this.#pages = new Array(Math.ceil(length / PAGE)).fill(undefined)
  }

  /** Only what was set before. */
  get(index: number): unknown {
    return (this.#pages[index >>> SHIFT] as unknown[])[index & (PAGE - 1)]
  }

  set(index: number, value: unknown): void {
    const page = this.#pages[index >>> SHIFT] ?? this.#makePage(index)
    page[index & (PAGE - 1)] = value
  }

  #makePage(index: number): unknown[] {
    // Filled first: all pages have one kind of elements.
    const page = new Array<unknown>(this.#pageLength).fill(undefined)
    this.#pages[index >>> SHIFT] = page
    return page
  }

  /** Reads the heads of the objects where tags are at home; see `Generation`. */
  touch(tags: Int32Array, count: number, shift: number): number {
    let seen = 0
    for (let i = 0; i < count; i++) {
      const index = Math.imul(tags[i] as number, GOLDEN) >>> shift
      const page = this.#pages[index >>> SHIFT]
      // Asking for the type reads the object's head.
      if (page !== undefined && typeof page[index & (PAGE - 1)] === 'object') seen++
    }
    return seen
  }

  get bytes(): number {
    let pages = 0
    for (const page of this.#pages) if (page !== undefined) pages++
    return pages * this.#pageLength * 8
  }
}
