/** A list of operator state. */
import type { ListState } from '../../api/state.ts'
import type { ByteWriter } from '../../common/bytes.ts'
import type { Type } from '../../schema/type.ts'
import { type Keeper, makeKeeper } from './value-keeper.ts'

export class OperatorList implements ListState<unknown> {
  readonly #type: Type<unknown>
  readonly #keep: Keeper
  #values: unknown[] = []

  constructor(type: Type<unknown>) {
    this.#type = type
    this.#keep = makeKeeper(type)
  }

  get(): readonly unknown[] {
    return this.#values.slice()
  }

  add(value: unknown): void {
    this.#values.push(this.#keep(value))
  }

  addAll(values: Iterable<unknown>): void {
    for (const value of Array.from(values)) this.add(value)
  }

  update(values: readonly unknown[]): void {
    this.#values = values.map(value => this.#keep(value))
  }

  clear(): void {
    this.#values = []
  }

  /** One buffer an item: redistribution deals in items. */
  write(out: ByteWriter): Buffer[] {
    return this.#values.map(value => {
      out.clear()
      this.#type.write(out, value)
      return out.copy()
    })
  }
}
