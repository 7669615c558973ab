/**
 * Walks the record batches of one fetched partition, record by record, without an object for any of
 * them: `next` moves on, and the fields say where the record lies.
 *
 * Owns        checksums, decompression, and which records a reader of committed ones may see.
 * Leaves out  what the bytes mean.
 *
 * A transaction that was taken back is listed with the offset it began at, which may lie before the
 * fetched range; it ends at the next marker of its producer. So the set of such producers is filled
 * from the list as batches are passed, and emptied by markers.
 */
import { type Codecs, compressions } from './compression.ts'
import type { AbortedTransaction } from './fetch-request.ts'
import { kafkaErrors } from './kafka-errors.ts'

const HEADER_BYTES = 61
const CHECKED_FROM = 21
const COMPRESSION_BITS = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

export interface RecordBatchesOptions {
  readonly topic: string
  readonly partition: number
  readonly bytes: Buffer
  /** Records below it were asked for by nobody: the broker gives whole batches. */
  readonly from: number
  readonly aborted: readonly AbortedTransaction[]
  readonly committed: boolean
  readonly codecs: Codecs
}

export class RecordBatches {
  /** The record's coordinates: valid after `next` gave true. */
  offset = 0
  timestamp = 0
  /** -1: the key is null. */
  keyLength = 0
  keyStart = 0
  /** -1: the value is null. */
  valueLength = 0
  valueStart = 0
  headersStart = 0
  /** The bytes that the coordinates are of; another buffer after `opened` grew. */
  records: Buffer
  /** Batches with records so far. */
  opened = 0
  /** Where to go on: behind all that was passed, also markers and what was taken back. */
  position: number
  readonly #options: RecordBatchesOptions
  readonly #aborted: AbortedTransaction[]
  readonly #abortedProducers = new Set<bigint>()
  /** Of the next batch. */
  #batchAt = 0
  #at = 0
  #left = 0
  #baseOffset = 0
  #baseTime = 0
  #appendTime = -1
  #batchEnd = 0

  constructor(options: RecordBatchesOptions) {
    this.#options = options
    this.position = options.from
    this.records = options.bytes
    this.#aborted = options.aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Moves to the next record; false: nothing more in what was fetched. */
  next(): boolean {
    const { from } = this.#options
    do {
      while (this.#left === 0) {
        if (this.#batchEnd > this.position) this.position = this.#batchEnd
        if (!this.#openBatch()) return false
      }
      this.#readRecord()
    } while (this.offset < from)
    return true
  }

  /** The record that `next` moved to was taken: the place to go on is behind it. */
  advance(): void {
    this.position = this.offset + 1
  }

  /** Behind the header of a batch with records to read. Passes over all others. */
  #openBatch(): boolean {
    const { bytes, committed } = this.#options
    while (this.#batchAt + HEADER_BYTES <= bytes.length) {
      const start = this.#batchAt
      const end = start + 12 + bytes.readInt32BE(start + 8)
      // The answer was cut: the rest comes with the next one.
      if (end > bytes.length) return false
      const base = Number(bytes.readBigInt64BE(start))
      this.#check(start, end, base)
      this.#batchAt = end
      const attributes = bytes.readInt16BE(start + 21)
      const last = base + bytes.readInt32BE(start + 23)
      this.#batchEnd = last + 1
      const producer = bytes.readBigInt64BE(start + 43)
      this.#admitAborted(last)
      const isMarker = (attributes & CONTROL) !== 0
      if (isMarker) this.#abortedProducers.delete(producer)
      const isTakenBack =
        committed && (attributes & TRANSACTIONAL) !== 0 && this.#abortedProducers.has(producer)
      const count = bytes.readInt32BE(start + 57)
      if (isMarker || isTakenBack || count === 0 || last < this.#options.from) {
        this.position = Math.max(this.position, this.#batchEnd)
        continue
      }
      this.#left = count
      this.#baseOffset = base
      this.#baseTime = Number(bytes.readBigInt64BE(start + 27))
      const isAppendTime = (attributes & LOG_APPEND_TIME) !== 0
      this.#appendTime = isAppendTime ? Number(bytes.readBigInt64BE(start + 35)) : -1
      this.#unpack(bytes.subarray(start + HEADER_BYTES, end), attributes & COMPRESSION_BITS)
      this.opened++
      return true
    }
    return false
  }

  #admitAborted(last: number): void {
    for (let first = this.#aborted[0]; first !== undefined; first = this.#aborted[0]) {
      if (first.firstOffset > last) return
      this.#abortedProducers.add(first.producerId)
      this.#aborted.shift()
    }
  }

  #check(start: number, end: number, offset: number): void {
    const { bytes, codecs } = this.#options
    const magic = bytes[start + 16]
    if (magic !== 2) throw this.#damaged(offset, `its format ${magic} is from before Kafka 0.11`)
    const wanted = bytes.readUInt32BE(start + 17)
    const found = codecs.crc32c(bytes.subarray(start + CHECKED_FROM, end))
    if (wanted !== found) throw this.#damaged(offset, `its checksum is ${found}, not ${wanted}`)
  }

  #unpack(packed: Buffer, code: number): void {
    this.#at = 0
    if (code === 0) {
      this.records = packed
      return
    }
    const compression = compressions[code]
    const offset = this.#baseOffset
    if (compression === undefined) throw this.#damaged(offset, `no compression has number ${code}`)
    try {
      this.records = this.#options.codecs.decompress(compression, packed)
    } catch (error) {
      throw this.#damaged(offset, `not ${compression}: ${(error as Error).message}`)
    }
  }

  #damaged(offset: number, reason: string): Error {
    const { topic, partition } = this.#options
    return kafkaErrors.WEIR_KAFKA_BATCH_DAMAGED({ topic, partition, offset, reason })
  }

  #readRecord(): void {
    const bytes = this.records
    const length = this.#varint(bytes)
    const end = this.#at + length
    if (length < 0 || end > bytes.length) {
      throw this.#damaged(this.#baseOffset, 'a record is longer than its batch')
    }
    // Attributes that nobody uses.
    this.#at++
    const elapsed = this.#varlong(bytes)
    this.timestamp = this.#appendTime < 0 ? this.#baseTime + elapsed : this.#appendTime
    this.offset = this.#baseOffset + this.#varint(bytes)
    this.keyLength = this.#varint(bytes)
    this.keyStart = this.#at
    if (this.keyLength > 0) this.#at += this.keyLength
    this.valueLength = this.#varint(bytes)
    this.valueStart = this.#at
    if (this.valueLength > 0) this.#at += this.valueLength
    this.headersStart = this.#at
    this.#at = end
    this.#left--
  }

  #varint(bytes: Buffer): number {
    let byte = bytes[this.#at++] as number
    let value = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes[this.#at++] as number
      value |= (byte & 0x7f) << shift
    }
    return (value >>> 1) ^ -(value & 1)
  }

  /** Beyond 32 bits: times may lie weeks apart in one batch. */
  #varlong(bytes: Buffer): number {
    let byte = bytes[this.#at++] as number
    let value = byte & 0x7f
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      byte = bytes[this.#at++] as number
      value += (byte & 0x7f) * scale
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
