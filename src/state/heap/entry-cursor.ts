/**
 * Where a handle stands: the table of its namespace and the entry of the current key. One hidden
 * class for all kinds of handles, so that looking up stays monomorphic in a process of many states.
 */
import type { PrimitiveKey } from '../key.ts'
import type { CurrentKey } from './current-key.ts'
import type { EntryTable } from './entry-table.ts'
import type { StateTables } from './state-tables.ts'
import { TableVisit } from './table-visit.ts'

export class EntryCursor {
  table: EntryTable
  readonly #tables: StateTables
  readonly #current: CurrentKey
  /** As the user of the handle gave it. */
  #namespace = 0
  /** As the table knows it: 0 where every namespace has a table of its own. */
  #inner = 0
  #epoch = -1
  #slot = -1

  constructor(tables: StateTables, current: CurrentKey) {
    this.#tables = tables
    this.#current = current
    this.table = tables.find(0)
  }

  get namespace(): number {
    return this.#namespace
  }

  setNamespace(namespace: number): void {
    if (namespace === this.#namespace) return
    this.#namespace = namespace
    this.#inner = this.#tables.innerNamespace(namespace)
    this.forget()
  }

  /** The slot of the current key's entry, -1 when there is none. It may be read and changed. */
  locate(): number {
    const { epoch } = this.#current
    if (this.#epoch === epoch) return this.#slot
    const slot = this.table.find(this.#current, this.#inner)
    this.#epoch = epoch
    this.#slot = slot
    return slot
  }

  /** Makes the entry after `locate` gave -1. Its value cell is still to be put. */
  insert(): number {
    this.table = this.#tables.open(this.#namespace)
    const slot = this.table.insert(this.#current, this.#inner)
    this.#epoch = this.#current.epoch
    this.#slot = slot
    return slot
  }

  /** Removes the current key's entry, if any. */
  remove(): void {
    const slot = this.locate()
    if (slot < 0) return
    this.table.remove(this.table.main, slot)
    this.#slot = -1
    if (this.table.count === 0) {
      this.#tables.drop(this.#namespace)
      this.forget()
    }
  }

  /** Looks up anew: entries or tables may have moved. */
  forget(): void {
    this.table = this.#tables.find(this.#namespace)
    this.#epoch = -1
  }

  /** Visits the keys of a namespace, each as the current one, then sets the former key again. */
  forEachKey(namespace: number, visit: (key: PrimitiveKey) => void): void {
    const before = this.#current.key
    this.setNamespace(namespace)
    const visitor = new TableVisit(this.#tables.find(namespace), namespace)
    visitor.run(key => {
      this.#current.set(key)
      visit(key)
    })
    if (before !== undefined) this.#current.set(before)
  }

  clearNamespace(namespace: number): void {
    if (this.#tables.isPerNamespace) {
      this.#tables.drop(namespace)
    } else {
      const table = this.#tables.find(namespace)
      table.removeWhere((generation, slot) => generation.namespace(slot) === namespace)
    }
    this.forget()
  }

  namespaces(): Iterable<number> {
    return this.#tables.namespaces()
  }
}
