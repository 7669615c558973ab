/**
 * How a state's values lie in the cells of its table: 32-bit integers and doubles in typed arrays,
 * anything else as it is.
 *
 * Cells are self-contained factories (see `state-handle.ts`): with a class of its own each state
 * reads one kind of array only, and the optimiser need not box its doubles.
 */
import { cloneFunction } from '../../common/clone-function.ts'
import type { Generation, Values } from './generation.ts'
import { ObjectPages } from './object-pages.ts'

export interface ValueCells {
  /** Whether `get` gives a copy: what is changed in it must be set again. */
  readonly isCopied: boolean
  /** Cells of `values` a slot. */
  readonly width: number
  makeValues(slots: number): Values
  get(generation: Generation, slot: number): unknown
  /** For a cell that has or had a value. */
  set(generation: Generation, slot: number, value: unknown): void
  /** The first value of a new entry. */
  put(generation: Generation, slot: number, value: unknown): void
  /** Lets go of what a value holds outside its cell. */
  release(generation: Generation, slot: number): void
}

type MakeValues = (slots: number) => Values

function typedCellsClass(): new (makeValues: MakeValues) => ValueCells {
  return class TypedCells implements ValueCells {
    readonly isCopied = false
    readonly width = 1
    readonly makeValues: MakeValues

    constructor(makeValues: MakeValues) {
      this.makeValues = makeValues
    }

    get(generation: Generation, slot: number): unknown {
      return (generation.values as Float64Array)[slot]
    }

    set(generation: Generation, slot: number, value: unknown): void {
      ;(generation.values as Float64Array)[slot] = value as number
    }

    put(generation: Generation, slot: number, value: unknown): void {
      ;(generation.values as Float64Array)[slot] = value as number
    }

    release(): void {}
  }
}

function objectCellsClass(): new (makeValues: MakeValues) => ValueCells {
  return class ObjectCells implements ValueCells {
    readonly isCopied = false
    readonly width = 1
    readonly makeValues: MakeValues

    constructor(makeValues: MakeValues) {
      this.makeValues = makeValues
    }

    get(generation: Generation, slot: number): unknown {
      return (generation.values as ObjectPages).get(slot)
    }

    set(generation: Generation, slot: number, value: unknown): void {
      ;(generation.values as ObjectPages).set(slot, value)
    }

    put(generation: Generation, slot: number, value: unknown): void {
      ;(generation.values as ObjectPages).put(slot, value)
    }

    release(): void {}
  }
}

export function makePlainCells(storage: 'int32' | 'float64' | 'object'): ValueCells {
  switch (storage) {
    case 'int32':
      return new (cloneFunction(typedCellsClass)())(slots => new Int32Array(slots))
    case 'float64':
      return new (cloneFunction(typedCellsClass)())(slots => new Float64Array(slots))
    case 'object':
      return new (cloneFunction(objectCellsClass)())(slots => new ObjectPages(slots))
  }
}
