/**
 * How a state's values lie in the cells of its segments: 32-bit integers and doubles in typed arrays,
 * anything else as it is in plain arrays.
 */
import { cloneFunction } from '../../common/clone-function.ts'
import type { StorageHint } from '../../schema/type.ts'
import type { Page, Segment } from './segment.ts'

export interface ValueCells {
  makeValues(slots: number): Page
  get(segment: Segment, slot: number): unknown
  set(segment: Segment, slot: number, value: unknown): void
  /** Lets go of what a value holds outside its cell. */
  release(segment: Segment, slot: number): void
  readonly emptyValue: unknown
}

/**
 * Cells that hold the values themselves. Self-contained: see `state-handle.ts`. With a class of its
 * own each state reads one kind of array only, and the optimiser need not box its doubles.
 */
function plainCellsClass(): new (storage: StorageHint) => ValueCells {
  return class PlainCells implements ValueCells {
    readonly emptyValue: unknown
    readonly #storage: StorageHint

    constructor(storage: StorageHint) {
      this.#storage = storage
      this.emptyValue = storage === 'object' ? undefined : 0
    }

    makeValues(slots: number): Page {
      if (this.#storage === 'int32') return new Int32Array(slots)
      if (this.#storage === 'float64') return new Float64Array(slots)
      // Filled first: an array of one kind of elements in every segment.
      return new Array<unknown>(slots).fill(undefined)
    }

    get(segment: Segment, slot: number): unknown {
      return segment.values[slot]
    }

    set(segment: Segment, slot: number, value: unknown): void {
      segment.values[slot] = value
    }

    release(): void {}
  }
}

export function makePlainCells(storage: 'int32' | 'float64' | 'object'): ValueCells {
  return new (cloneFunction(plainCellsClass)())(storage)
}
