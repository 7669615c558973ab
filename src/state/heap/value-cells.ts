/** How a state's values lie in the cells of its table. */
import type { ByteWriter } from '../../common/bytes.ts'
import type { Generation, GenerationShape } from './generation.ts'

type OfShape = Pick<GenerationShape, 'width' | 'makeValues' | 'makeArena' | 'encode'>

/**
 * JavaScript statements that write the cells of `slot`, out of `values`, at `p` of the DataView
 * `data`, and move `p` on.
 */
export interface CellsCode {
  readonly lines: readonly string[]
  /** How far they move it. */
  readonly bytes: number
}

export interface ValueCells extends OfShape {
  /**
   * Whether the slot has this very value, so that nothing is to be set. What `get` gave need not be
   * held: where it is a copy, what was changed in it must be set again.
   */
  holds(generation: Generation, slot: number, value: unknown): boolean
  /**
   * Checks a value and makes it fit to be kept. Called before a table is changed for it, since it
   * throws what the type says about a value that does not fit.
   */
  keep(value: unknown): unknown
  get(generation: Generation, slot: number): unknown
  /** The same for the time of one call: the object may be used again for the next. */
  lend(generation: Generation, slot: number): unknown
  /** Takes what `keep` gave last. */
  set(generation: Generation, slot: number, kept: unknown): void
  /** Code that writes the value as its type does, where that is a few numbers. */
  readonly code?: CellsCode
  /** Appends the value as its type writes it, if it is kept in that form; false if not. */
  writeStored?(out: ByteWriter, generation: Generation, slot: number): boolean
}
