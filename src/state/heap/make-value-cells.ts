/**
 * Chooses the cells of a type: 32-bit integers and doubles in typed arrays,
 * small objects of numbers as their fields, bytes encoded in an arena, objects with strings too
 * where there are many, anything else as it is.
 *
 * The plain cells are self-contained factories (see `state-handle.ts`): with a class of its own
 * each state reads one kind of array only, and the optimiser need not box its doubles.
 */
import { cloneFunction } from '../../common/clone-function.ts'
import type { Type } from '../../schema/type.ts'
import { ArenaCells } from './arena-cells.ts'
import type { Generation, GenerationShape } from './generation.ts'
import { isFlatSchema } from './is-flat-schema.ts'
import { ObjectPages } from './object-pages.ts'
import { makeRecordCells } from './record-cells.ts'
import type { CellsCode, ValueCells } from './value-cells.ts'
import { type Keeper, makeKeeper } from './value-keeper.ts'

/**
 * Slots of a table that is worth encoding: with fewer, what survives a collection of the young
 * generation is soon copied.
 */
const ENCODED_FROM = 1 << 16

const int32Code: CellsCode = { lines: ['data.setInt32(p, values[slot], true); p += 4'], bytes: 4 }
const float64Code: CellsCode = {
  lines: ['data.setFloat64(p, values[slot], true); p += 8'],
  bytes: 8,
}

interface PlainOptions {
  readonly keep: Keeper
  readonly makeValues: GenerationShape['makeValues']
  readonly code?: CellsCode | undefined
}

type PlainCellsClass = new (options: PlainOptions) => ValueCells

function numberCellsClass(): PlainCellsClass {
  return class NumberCells implements ValueCells {
    readonly width = 1
    readonly keep: Keeper
    readonly makeValues: GenerationShape['makeValues']
    readonly code?: CellsCode

    constructor({ keep, makeValues, code }: PlainOptions) {
      this.keep = keep
      this.makeValues = makeValues
      if (code !== undefined) this.code = code
    }

    holds(generation: Generation, slot: number, value: unknown): boolean {
      return (generation.values as Float64Array)[slot] === value
    }

    get(generation: Generation, slot: number): unknown {
      return (generation.values as Float64Array)[slot]
    }

    lend(generation: Generation, slot: number): unknown {
      return (generation.values as Float64Array)[slot]
    }

    set(generation: Generation, slot: number, kept: unknown): void {
      ;(generation.values as Float64Array)[slot] = kept as number
    }
  }
}

function objectCellsClass(): PlainCellsClass {
  return class ObjectCells implements ValueCells {
    readonly width = 1
    readonly keep: Keeper
    readonly makeValues: GenerationShape['makeValues']

    constructor({ keep, makeValues }: PlainOptions) {
      this.keep = keep
      this.makeValues = makeValues
    }

    holds(generation: Generation, slot: number, value: unknown): boolean {
      return (generation.values as ObjectPages).get(slot) === value
    }

    get(generation: Generation, slot: number): unknown {
      return (generation.values as ObjectPages).get(slot)
    }

    lend(generation: Generation, slot: number): unknown {
      return (generation.values as ObjectPages).get(slot)
    }

    set(generation: Generation, slot: number, kept: unknown): void {
      ;(generation.values as ObjectPages).set(slot, kept)
    }
  }
}

/** For values of a type. */
export function makeValueCells(type: Type<unknown>, encodedFrom = ENCODED_FROM): ValueCells {
  const keep = makeKeeper(type)
  switch (type.storage) {
    case 'int32':
      return makeNumberCells({ keep, makeValues: slots => new Int32Array(slots), code: int32Code })
    case 'float64':
      return makeNumberCells({
        keep,
        makeValues: slots => new Float64Array(slots),
        code: float64Code,
      })
    case 'bytes':
      return new ArenaCells(type, { encodedFrom: 0, keep })
    case 'object':
      return makeRecordCells(type) ?? makeLargeCells(type, keep, encodedFrom)
  }
}

/** For the engine's own objects: lists and maps. */
export function makeObjectCells(keep: Keeper = value => value): ValueCells {
  const makeValues = (slots: number): ObjectPages => new ObjectPages(slots)
  return new (cloneFunction(objectCellsClass)())({ keep, makeValues })
}

function makeLargeCells(type: Type<unknown>, keep: Keeper, encodedFrom: number): ValueCells {
  if (!isFlatSchema(type.schema)) return makeObjectCells(keep)
  return new ArenaCells(type, { encodedFrom, keep })
}

function makeNumberCells(options: PlainOptions): ValueCells {
  return new (cloneFunction(numberCellsClass)())(options)
}
