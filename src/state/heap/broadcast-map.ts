/** A map of broadcast state, in the order of insertion. */
import type { MapState } from '../../api/state.ts'
import type { ByteWriter } from '../../common/bytes.ts'
import type { Type } from '../../schema/type.ts'
import { NO_TIME } from '../snapshot-format.ts'
import { foldMapKey, type MapCell, ownMapKey } from './cells.ts'
import { type Keeper, makeKeeper } from './value-keeper.ts'

export class BroadcastMap implements MapState<unknown, unknown> {
  readonly #keyType: Type<unknown>
  readonly #valueType: Type<unknown>
  readonly #keep: Keeper
  readonly #cell: MapCell = new Map()

  constructor(keyType: Type<unknown>, valueType: Type<unknown>) {
    this.#keyType = keyType
    this.#valueType = valueType
    this.#keep = makeKeeper(valueType)
  }

  get(key: unknown): unknown {
    return this.#cell.get(foldMapKey(key, this.#keyType))?.value
  }

  put(key: unknown, value: unknown): void {
    const folded = ownMapKey(foldMapKey(key, this.#keyType))
    const kept = folded === key ? folded : key
    this.#cell.set(folded, { key: kept, value: this.#keep(value), time: NO_TIME })
  }

  has(key: unknown): boolean {
    return this.#cell.has(foldMapKey(key, this.#keyType))
  }

  remove(key: unknown): void {
    this.#cell.delete(foldMapKey(key, this.#keyType))
  }

  entries(): Iterable<readonly [unknown, unknown]> {
    return Array.from(this.#cell.values(), item => [item.key, item.value] as const)
  }

  keys(): Iterable<unknown> {
    return Array.from(this.#cell.values(), item => item.key)
  }

  values(): Iterable<unknown> {
    return Array.from(this.#cell.values(), item => item.value)
  }

  isEmpty(): boolean {
    return this.#cell.size === 0
  }

  clear(): void {
    this.#cell.clear()
  }

  /** One buffer a pair of key and value. */
  write(out: ByteWriter): Buffer[] {
    return Array.from(this.#cell.values(), item => {
      out.clear()
      this.#keyType.write(out, item.key)
      this.#valueType.write(out, item.value)
      return out.copy()
    })
  }
}
