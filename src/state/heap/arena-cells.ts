/** Cells of encoded values: the address of each in the table's {@link RecordArena}, 0 for none. */
import { ByteWriter } from '../../common/bytes.ts'
import type { Type } from '../../schema/type.ts'
import type { Generation } from './generation.ts'
import { RecordArena } from './record-arena.ts'
import type { ValueCells } from './value-cells.ts'

export class ArenaCells implements ValueCells {
  readonly isCopied = true
  readonly width = 1
  readonly #type: Type<unknown>
  /** What was kept last, encoded; `set` comes next. */
  readonly #kept = new ByteWriter(256)

  constructor(type: Type<unknown>) {
    this.#type = type
  }

  makeValues(slots: number): Int32Array {
    return new Int32Array(slots)
  }

  makeArena(): RecordArena {
    return new RecordArena()
  }

  keep(value: unknown): unknown {
    this.#kept.clear()
    this.#type.write(this.#kept, value)
    return value
  }

  get(generation: Generation, slot: number): unknown {
    const arena = generation.arena as RecordArena
    return this.#type.read(arena.readerAt((generation.values as Int32Array)[slot] as number))
  }

  lend(generation: Generation, slot: number): unknown {
    return this.get(generation, slot)
  }

  set(generation: Generation, slot: number): void {
    const { buffer, length } = this.#kept
    const arena = generation.arena as RecordArena
    const addresses = generation.values as Int32Array
    const before = addresses[slot] as number
    addresses[slot] =
      before === 0 ? arena.add(buffer, length) : arena.replace(before, buffer, length)
  }
}
