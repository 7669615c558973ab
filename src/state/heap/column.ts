/**
 * Columns of the timer queue: one cell a timer, in pages, so that growing never copies more than
 * one page. The first page starts small and doubles.
 */
import { cloneFunction } from '../../common/clone-function.ts'

export interface Column<T> {
  get(entry: number): T
  set(entry: number, value: T): void
  /** Makes room for `entry`; called in the order of new entries. */
  reserve(entry: number): void
  /** Lets go of what the cell holds. */
  release(entry: number): void
  readonly bytes: number
}

/** The part of an array or a typed array that a column uses. */
interface Page<T> {
  readonly length: number
  [index: number]: T
}

interface PageOptions<T> {
  make(length: number): Page<T>
  /** What an empty cell holds; set on release so that no object is kept alive. */
  readonly empty: T
  readonly cellBytes: number
}

/**
 * The class of a paged column. Self-contained, for `cloneFunction`: a table whose column class is
 * its own has monomorphic cells, and the optimiser need not box its doubles.
 */
function pagedColumnClass<T>(options: PageOptions<T>): new () => Column<T> {
  const SHIFT = 14
  const PAGE = 1 << SHIFT
  const { make, empty, cellBytes } = options
  return class PagedColumn implements Column<T> {
    readonly #pages: Page<T>[] = [make(16)]

    get(entry: number): T {
      return (this.#pages[entry >>> SHIFT] as Page<T>)[entry & (PAGE - 1)] as T
    }

    set(entry: number, value: T): void {
      ;(this.#pages[entry >>> SHIFT] as Page<T>)[entry & (PAGE - 1)] = value
    }

    reserve(entry: number): void {
      const index = entry >>> SHIFT
      const page = this.#pages[index]
      if (page === undefined) {
        this.#pages.push(make(PAGE))
      } else if ((entry & (PAGE - 1)) >= page.length) {
        const larger = make(page.length * 2)
        for (let i = 0; i < page.length; i++) larger[i] = page[i] as T
        this.#pages[index] = larger
      }
    }

    release(entry: number): void {
      this.set(entry, empty)
    }

    get bytes(): number {
      let cells = 0
      for (const page of this.#pages) cells += page.length
      return cells * cellBytes
    }
  }
}

const objectPages: PageOptions<unknown> = {
  // Filled first: all pages have one kind of elements.
  make: length => new Array<unknown>(length).fill(undefined),
  empty: undefined,
  cellBytes: 8,
}

/** Each kind of cell has a class of its own. */
export const Int32Column = cloneFunction(pagedColumnClass<number>)({
  make: length => new Int32Array(length),
  empty: 0,
  cellBytes: 4,
})
export const Float64Column = cloneFunction(pagedColumnClass<number>)({
  make: length => new Float64Array(length),
  empty: 0,
  cellBytes: 8,
})
export const ObjectColumn = cloneFunction(pagedColumnClass<unknown>)(objectPages)
