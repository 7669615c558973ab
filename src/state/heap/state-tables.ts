/**
 * The tables of one state: a single one, or one a namespace, made at its first entry and dropped
 * whole (panes of windows).
 */
import { EntryTable, type TableOptions } from './entry-table.ts'

/** Smaller tables stay in the caches by themselves. */
const TOUCH_MIN = 65_536

export class StateTables {
  readonly #options: TableOptions
  /** The single table; with a table a namespace, the one that stays empty. */
  readonly #main: EntryTable
  /** Keeps the reads of `touch` from being optimised away. */
  #touched = 0
  readonly #byNamespace: Map<number, EntryTable> | undefined

  constructor(options: TableOptions, layout: 'key' | 'namespace') {
    this.#options = options
    this.#main = new EntryTable(options)
    this.#byNamespace = layout === 'namespace' ? new Map() : undefined
  }

  get isPerNamespace(): boolean {
    return this.#byNamespace !== undefined
  }

  /** The table to look into; an empty one when the namespace has none. */
  find(namespace: number): EntryTable {
    if (this.#byNamespace === undefined) return this.#main
    return this.#byNamespace.get(namespace) ?? this.#main
  }

  /** The table to insert into. */
  open(namespace: number): EntryTable {
    if (this.#byNamespace === undefined) return this.#main
    let table = this.#byNamespace.get(namespace)
    if (table === undefined) {
      table = new EntryTable(this.#options, namespace)
      this.#byNamespace.set(namespace, table)
    }
    return table
  }

  /** How the namespace is called inside its table. */
  innerNamespace(namespace: number): number {
    return this.#byNamespace === undefined ? namespace : 0
  }

  /** Forgets the table of a namespace. A running snapshot that began with it still has it. */
  drop(namespace: number): void {
    this.#byNamespace?.delete(namespace)
  }

  /** A table of this size is not in the caches by itself. */
  get isLarge(): boolean {
    return this.#main.count >= TOUCH_MIN
  }

  /** Brings the entries of these hashes into the cache. */
  touch(hashes: Int32Array, count: number): void {
    if (this.isLarge) this.#touched ^= this.#main.touch(hashes, count)
  }

  /** Those that hold anything. */
  all(): EntryTable[] {
    const tables = this.#byNamespace === undefined ? [this.#main] : [...this.#byNamespace.values()]
    return tables.filter(table => table.count > 0)
  }

  namespaces(): number[] {
    if (this.#byNamespace !== undefined) return [...this.#byNamespace.keys()]
    const seen = new Set<number>()
    for (const generation of this.#main.generations()) {
      for (let slot = 0; slot < generation.capacity; slot++) {
        if (generation.isEntry(slot)) seen.add(generation.namespace(slot))
      }
    }
    return [...seen]
  }
}
