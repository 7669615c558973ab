/** Cells of encoded values: the address of each in a {@link RecordArena}; 0 when there is none. */
import { ByteWriter } from '../../common/bytes.ts'
import type { Type } from '../../schema/type.ts'
import type { Generation } from './generation.ts'
import { RecordArena } from './record-arena.ts'
import type { ValueCells } from './value-cells.ts'

const scratch = new ByteWriter(4096)

export function makeArenaCells(type: Type<unknown>): ValueCells {
  return new ArenaCells(type)
}

class ArenaCells implements ValueCells {
  readonly isCopied = true
  readonly width = 1
  readonly #type: Type<unknown>
  readonly #arena = new RecordArena()

  constructor(type: Type<unknown>) {
    this.#type = type
  }

  makeValues(slots: number): Int32Array {
    return new Int32Array(slots)
  }

  get(generation: Generation, slot: number): unknown {
    return this.#type.read(this.#arena.readerAt(address(generation, slot)))
  }

  set(generation: Generation, slot: number, value: unknown): void {
    this.#encode(value)
    const { buffer, length } = scratch
    const kept = this.#arena.replace(address(generation, slot), buffer, length)
    ;(generation.values as Int32Array)[slot] = kept
  }

  put(generation: Generation, slot: number, value: unknown): void {
    this.#encode(value)
    ;(generation.values as Int32Array)[slot] = this.#arena.add(scratch.buffer, scratch.length)
  }

  release(generation: Generation, slot: number): void {
    this.#arena.free(address(generation, slot))
  }

  get bytes(): number {
    return this.#arena.bytes
  }

  #encode(value: unknown): void {
    scratch.clear()
    this.#type.write(scratch, value)
  }
}

function address(generation: Generation, slot: number): number {
  return (generation.values as Int32Array)[slot] as number
}
