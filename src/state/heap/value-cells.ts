/** How a state's values lie in the cells of its table. */
import type { Generation, GenerationShape } from './generation.ts'

export interface ValueCells extends Pick<GenerationShape, 'width' | 'makeValues' | 'makeArena'> {
  /** Whether `get` gives a copy: what is changed in it must be set again. */
  readonly isCopied: boolean
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
}
