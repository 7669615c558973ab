/**
 * Cells of values that are kept encoded: the address of each in the table's {@link RecordArena}, 0
 * for none. However many there are, the garbage collector has nothing to do with them.
 *
 * Encoding and decoding costs more than following a reference. A table therefore keeps values as
 * they are until it has `encodedFrom` slots, and beyond that while they are mostly read; it changes
 * over as it grows.
 */
import { ByteWriter } from '../../common/bytes.ts'
import type { Type } from '../../schema/type.ts'
import type { Generation, Values } from './generation.ts'
import { ObjectPages } from './object-pages.ts'
import { RecordArena } from './record-arena.ts'
import type { ValueCells } from './value-cells.ts'
import type { Keeper } from './value-keeper.ts'

export interface ArenaOptions {
  /** 0: always. */
  readonly encodedFrom: number
  /** For values that are kept as they are. */
  readonly keep: Keeper
}

/** Values that are read more often than this for each write stay as they are. */
const READS_A_WRITE = 2

export class ArenaCells implements ValueCells {
  readonly width = 1
  readonly #type: Type<unknown>
  readonly #options: ArenaOptions
  /** What was kept last, encoded; `set` comes next. */
  readonly #kept = new ByteWriter(256)
  /** What moves into a larger table, encoded: between `keep` and `set` too. */
  readonly #moved = new ByteWriter(256)
  /** On before the first table encodes, so that a value that does not fit is refused by `keep`. */
  #checks: boolean
  #encodes: boolean
  #reads = 0
  #writes = 0

  constructor(type: Type<unknown>, options: ArenaOptions) {
    this.#type = type
    this.#options = options
    this.#encodes = options.encodedFrom === 0
    this.#checks = this.#encodes
  }

  makeValues(slots: number): Values {
    const { encodedFrom } = this.#options
    if (slots * 2 >= encodedFrom) this.#checks = true
    if (slots >= encodedFrom && this.#reads < this.#writes * READS_A_WRITE) this.#encodes = true
    return this.#encodes && slots >= encodedFrom ? new Int32Array(slots) : new ObjectPages(slots)
  }

  makeArena(): RecordArena {
    return new RecordArena()
  }

  readonly encode = (arena: RecordArena, value: unknown): number => {
    this.#moved.clear()
    this.#type.write(this.#moved, value)
    return arena.add(this.#moved.buffer, this.#moved.length)
  }

  keep(value: unknown): unknown {
    if (!this.#checks) return value
    this.#kept.clear()
    this.#type.write(this.#kept, value)
    return value
  }

  holds(generation: Generation, slot: number, value: unknown): boolean {
    const { values } = generation
    return values instanceof ObjectPages && values.get(slot) === value
  }

  get(generation: Generation, slot: number): unknown {
    this.#reads++
    const { values, arena } = generation
    if (values instanceof ObjectPages) return values.get(slot)
    return this.#type.read((arena as RecordArena).readerAt(values[slot] as number))
  }

  lend(generation: Generation, slot: number): unknown {
    return this.get(generation, slot)
  }

  set(generation: Generation, slot: number, kept: unknown): void {
    this.#writes++
    const { values, arena } = generation
    if (values instanceof ObjectPages) {
      values.set(slot, this.#options.keep(kept))
      return
    }
    const { buffer, length } = this.#kept
    const before = values[slot] as number
    values[slot] =
      before === 0
        ? (arena as RecordArena).add(buffer, length)
        : (arena as RecordArena).replace(before, buffer, length)
  }

  writeStored(out: ByteWriter, generation: Generation, slot: number): boolean {
    const { values, arena } = generation
    if (values instanceof ObjectPages) return false
    ;(arena as RecordArena).copyTo(out, values[slot] as number)
    return true
  }
}
