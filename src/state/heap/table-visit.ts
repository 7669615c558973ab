/**
 * Visits the keys of one namespace of a table. The visitor may change the table: before the first
 * change that moves entries, the keys that are still to come are noted down, so that none is missed
 * or visited twice.
 */
import type { PrimitiveKey } from '../key.ts'
import type { EntryTable, MoveGuard } from './entry-table.ts'
import type { Generation } from './generation.ts'

export class TableVisit implements MoveGuard {
  readonly #table: EntryTable
  readonly #namespace: number
  readonly #generations: readonly Generation[]
  /** The next place to look at. */
  #at = 0
  #slot = 0
  /** What was still to come when entries began to move. */
  #rest: PrimitiveKey[] | undefined = undefined

  constructor(table: EntryTable, namespace: number) {
    this.#table = table
    this.#namespace = namespace
    this.#generations = table.generations()
  }

  run(visit: (key: PrimitiveKey) => void): void {
    this.#table.beginVisit(this)
    try {
      while (this.#rest === undefined) {
        const key = this.#next()
        if (key === undefined) return
        visit(key)
      }
    } finally {
      this.#table.endVisit()
    }
    for (const key of this.#rest) visit(key)
  }

  beforeMove(): void {
    if (this.#rest !== undefined) return
    const rest: PrimitiveKey[] = []
    for (let key = this.#next(); key !== undefined; key = this.#next()) rest.push(key)
    this.#rest = rest
  }

  #next(): PrimitiveKey | undefined {
    while (this.#at < this.#generations.length) {
      const generation = this.#generations[this.#at] as Generation
      const { capacity } = generation
      while (this.#slot < capacity) {
        const slot = this.#slot++
        if (!generation.isEntry(slot)) continue
        if (this.#table.namespaceOf(generation, slot) === this.#namespace)
          return generation.key(slot)
      }
      this.#at++
      this.#slot = 0
    }
    return undefined
  }
}
