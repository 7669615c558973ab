/**
 * The keys of timers. It starts with 32-bit integers in typed arrays and turns, at the
 * first key that does not fit, into doubles (all keys numbers) or into plain arrays (anything).
 */
import type { PrimitiveKey } from '../key.ts'
import { type Column, Float64Column, Int32Column, ObjectColumn } from './column.ts'

export class KeyColumn {
  #cells: Column<unknown> = new Int32Column() as Column<unknown>
  #form: 'int32' | 'float64' | 'any' = 'int32'

  /** All keys are 32-bit integers. */
  get isInt(): boolean {
    return this.#form === 'int32'
  }

  get(entry: number): PrimitiveKey {
    return this.#cells.get(entry) as PrimitiveKey
  }

  /** `count` entries exist before this one. */
  add(entry: number, key: PrimitiveKey, count: number): void {
    if (typeof key !== 'number') {
      if (this.#form !== 'any') this.#convert('any', count)
    } else if (this.#form === 'int32' && (key | 0) !== key) {
      this.#convert('float64', count)
    }
    this.#cells.reserve(entry)
    this.#cells.set(entry, key)
  }

  /** Only plain arrays hold anything that must be let go. */
  release(entry: number): void {
    if (this.#form === 'any') this.#cells.release(entry)
  }

  get bytes(): number {
    return this.#cells.bytes
  }

  #convert(form: 'float64' | 'any', count: number): void {
    const cells = form === 'float64' ? new Float64Column() : new ObjectColumn()
    for (let entry = 0; entry < count; entry++) {
      cells.reserve(entry)
      cells.set(entry, this.#cells.get(entry) as never)
    }
    this.#cells = cells as Column<unknown>
    this.#form = form
  }
}
