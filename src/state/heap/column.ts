/**
 * Columns of a state table: one cell an entry, in pages, so that growing never copies more than one
 * page. The first page starts small and doubles: a pane of ten keys stays small.
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

export interface PageOptions<T> {
  make(length: number): Page<T>
  /** What an empty cell holds; set on release so that no object is kept alive. */
  readonly empty: T
  readonly cellBytes: number
}

/**
 * The class of a paged column. Self-contained, for `cloneFunction`: a table whose column class is its
 * own has monomorphic cells, and the optimiser need not box its doubles.
 */
export function pagedColumnClass<T>(options: PageOptions<T>): new () => Column<T> {
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

const int32Pages: PageOptions<number> = {
  make: length => new Int32Array(length),
  empty: 0,
  cellBytes: 4,
}
const float64Pages: PageOptions<number> = {
  make: length => new Float64Array(length),
  empty: 0,
  cellBytes: 8,
}
const uint8Pages: PageOptions<number> = {
  make: length => new Uint8Array(length),
  empty: 0,
  cellBytes: 1,
}
const objectPages: PageOptions<unknown> = {
  // Filled, so that all pages have one kind of elements from the start.
  make: length => new Array<unknown>(length).fill(undefined),
  empty: undefined,
  cellBytes: 8,
}

/** A class of one's own for a state's values: `int32`, `float64` or `object`. */
export function valueColumnClass(
  storage: 'int32' | 'float64' | 'object',
): new () => Column<unknown> {
  const own = cloneFunction(pagedColumnClass) as typeof pagedColumnClass<never>
  const pages = { int32: int32Pages, float64: float64Pages, object: objectPages }[storage]
  return own(pages as PageOptions<never>) as new () => Column<unknown>
}

/** For the tables' own columns: each kind of cell has one class. */
export const Int32Column = cloneFunction(pagedColumnClass<number>)(int32Pages)
export const Float64Column = cloneFunction(pagedColumnClass<number>)(float64Pages)
export const Uint8Column = cloneFunction(pagedColumnClass<number>)(uint8Pages)
export const ObjectColumn = cloneFunction(pagedColumnClass<unknown>)(objectPages)
