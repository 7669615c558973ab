/**
 * What the entries of one state hold, kind by kind: how it is written to a snapshot and read back.
 * The bytes are those of `snapshot-format.ts`.
 */
import type { ByteReader, ByteWriter } from '../../common/bytes.ts'
import type { Type } from '../../schema/type.ts'
import { NO_TIME, readCount, readTime, writeTime } from '../snapshot-format.ts'
import type { StoredReaders } from '../stored-readers.ts'
import type { Ttl } from '../ttl.ts'
import { foldMapKey, type ListCell, type MapCell } from './cells.ts'
import type { Generation } from './generation.ts'
import type { CellsCode, ValueCells } from './value-cells.ts'

/** A restored cell, and when it was renewed (of a list or map: nothing). */
export interface RestoredCell {
  readonly cell: unknown
  readonly time: number
}

export interface EntryContents {
  /** Whether there is a TTL: without, nothing is ever gone. */
  readonly expires: boolean
  /** Writes a value without a call, behind its time. */
  readonly code: CellsCode | undefined
  /** All it holds is expired: left out of snapshots, and dropped by the sweep. */
  isGone(generation: Generation, slot: number): boolean
  write(out: ByteWriter, generation: Generation, slot: number): void
  /** The cell, or `undefined` when everything in it is expired. */
  read(input: ByteReader, readers: StoredReaders): RestoredCell | undefined
}

/** Of value, reducing and aggregating state. */
export class ScalarContents implements EntryContents {
  readonly expires: boolean
  readonly code: CellsCode | undefined
  readonly #cells: ValueCells
  readonly #type: Type<unknown>
  readonly #ttl: Ttl | undefined

  constructor(cells: ValueCells, type: Type<unknown>, ttl: Ttl | undefined) {
    this.#cells = cells
    this.#type = type
    this.#ttl = ttl
    this.expires = ttl !== undefined
    this.code = cells.code
  }

  isGone(generation: Generation, slot: number): boolean {
    const ttl = this.#ttl
    return ttl?.isExpired((generation.times as Float64Array)[slot] as number, ttl.now()) ?? false
  }

  write(out: ByteWriter, generation: Generation, slot: number): void {
    writeTime(out, generation.times === undefined ? NO_TIME : (generation.times[slot] as number))
    if (this.#cells.writeStored?.(out, generation, slot) !== true) {
      this.#type.write(out, this.#cells.get(generation, slot))
    }
  }

  read(input: ByteReader, readers: StoredReaders): RestoredCell | undefined {
    const time = restoredTime(readTime(input), this.#ttl)
    const cell = readers.readValue(input)
    if (this.#ttl?.isExpired(time, this.#ttl.now())) return undefined
    return { cell, time }
  }
}

export class ListContents implements EntryContents {
  readonly expires: boolean
  readonly code = undefined
  readonly #cells: ValueCells
  readonly #type: Type<unknown>
  readonly #ttl: Ttl | undefined

  constructor(cells: ValueCells, type: Type<unknown>, ttl: Ttl | undefined) {
    this.#cells = cells
    this.#type = type
    this.#ttl = ttl
    this.expires = ttl !== undefined
  }

  isGone(generation: Generation, slot: number): boolean {
    const ttl = this.#ttl
    if (ttl === undefined) return false
    const now = ttl.now()
    const { times } = this.#cells.get(generation, slot) as ListCell
    return (times as number[]).every(time => ttl.isExpired(time, now))
  }

  write(out: ByteWriter, generation: Generation, slot: number): void {
    const { values, times } = this.#cells.get(generation, slot) as ListCell
    const now = this.#ttl?.now() ?? 0
    const isExpired = (i: number): boolean =>
      this.#ttl?.isExpired((times as number[])[i] as number, now) ?? false
    let count = values.length
    for (let i = 0; i < values.length; i++) if (isExpired(i)) count--
    out.writeVarint(count)
    for (let i = 0; i < values.length; i++) {
      if (isExpired(i)) continue
      writeTime(out, times === undefined ? NO_TIME : (times[i] as number))
      this.#type.write(out, values[i])
    }
  }

  read(input: ByteReader, readers: StoredReaders): RestoredCell | undefined {
    const cell: ListCell = { values: [], times: this.#ttl === undefined ? undefined : [] }
    const now = this.#ttl?.now() ?? 0
    for (let left = readCount(input); left > 0; left--) {
      const time = restoredTime(readTime(input), this.#ttl)
      const value = readers.readValue(input)
      if (this.#ttl?.isExpired(time, now)) continue
      cell.values.push(value)
      cell.times?.push(time)
    }
    return cell.values.length === 0 ? undefined : { cell, time: NO_TIME }
  }
}

export interface MapContentsOptions {
  readonly keyType: Type<unknown>
  readonly type: Type<unknown>
  readonly ttl: Ttl | undefined
}

export class MapContents implements EntryContents {
  readonly expires: boolean
  readonly code = undefined
  readonly #cells: ValueCells
  readonly #keyType: Type<unknown>
  readonly #type: Type<unknown>
  readonly #ttl: Ttl | undefined

  constructor(cells: ValueCells, { keyType, type, ttl }: MapContentsOptions) {
    this.#cells = cells
    this.#keyType = keyType
    this.#type = type
    this.#ttl = ttl
    this.expires = ttl !== undefined
  }

  isGone(generation: Generation, slot: number): boolean {
    const ttl = this.#ttl
    if (ttl === undefined) return false
    const now = ttl.now()
    for (const item of (this.#cells.get(generation, slot) as MapCell).values()) {
      if (!ttl.isExpired(item.time, now)) return false
    }
    return true
  }

  write(out: ByteWriter, generation: Generation, slot: number): void {
    const cell = this.#cells.get(generation, slot) as MapCell
    const items = this.#ttl === undefined ? cell.values() : this.#live(cell, this.#ttl)
    out.writeVarint(Array.isArray(items) ? items.length : cell.size)
    for (const item of items) {
      writeTime(out, item.time)
      this.#keyType.write(out, item.key)
      this.#type.write(out, item.value)
    }
  }

  #live(cell: MapCell, ttl: Ttl) {
    const now = ttl.now()
    return [...cell.values()].filter(item => !ttl.isExpired(item.time, now))
  }

  read(input: ByteReader, readers: StoredReaders): RestoredCell | undefined {
    const cell: MapCell = new Map()
    const now = this.#ttl?.now() ?? 0
    for (let left = readCount(input); left > 0; left--) {
      const time = restoredTime(readTime(input), this.#ttl)
      const key = readers.readMapKey(input)
      const value = readers.readValue(input)
      if (this.#ttl?.isExpired(time, now)) continue
      cell.set(foldMapKey(key, this.#keyType), { key, value, time })
    }
    return cell.size === 0 ? undefined : { cell, time: NO_TIME }
  }
}

/** Stored without a TTL and restored with one: it lives from now on. And the other way round. */
function restoredTime(stored: number, ttl: Ttl | undefined): number {
  if (ttl === undefined) return NO_TIME
  return stored === NO_TIME ? ttl.now() : stored
}
