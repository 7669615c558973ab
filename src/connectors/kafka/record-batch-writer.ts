/**
 * Writes records into one batch, in one growing buffer. The header, which names the producer and
 * its sequence, is written when the batch is sent: by then it is known who sends it.
 */
import type { ByteWriter } from '../../common/bytes.ts'
import type { BatchBuffers } from './batch-buffers.ts'
import { type Codecs, type Compression, compressions } from './compression.ts'
import type { KafkaHeader } from './kafka-message.ts'

const HEADER_BYTES = 61
const TRANSACTIONAL = 0x10

/** Who sends a batch, and as which of its batches. */
export interface BatchSender {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly sequence: number
  readonly isTransactional: boolean
}

export interface BatchRecord {
  readonly key: Uint8Array | null
  readonly headers: readonly KafkaHeader[]
  readonly timestamp: number
}

export class RecordBatchWriter {
  count = 0
  readonly #buffers: BatchBuffers
  #buffer: Buffer
  #length = HEADER_BYTES
  #firstTime = 0
  #lastTime = 0

  constructor(buffers: BatchBuffers, capacity: number) {
    this.#buffers = buffers
    this.#buffer = buffers.take(Math.max(HEADER_BYTES, capacity))
  }

  get sizeBytes(): number {
    return this.#length
  }

  /** `value`: what was encoded; `undefined` for a record that deletes its key. */
  add(record: BatchRecord, value: ByteWriter | undefined): void {
    const { key, timestamp, headers } = record
    if (this.count === 0) {
      this.#firstTime = timestamp
      this.#lastTime = timestamp
    } else if (timestamp > this.#lastTime) this.#lastTime = timestamp
    const elapsed = timestamp - this.#firstTime
    const keyLength = key === null ? -1 : key.length
    const valueLength = value === undefined ? -1 : value.length
    const headersSize = headers.length === 0 ? 1 : sizeOfHeaders(headers)
    const size =
      1 +
      sizeOfVarlong(elapsed) +
      sizeOfVarint(this.count) +
      sizeOfVarint(keyLength) +
      Math.max(0, keyLength) +
      sizeOfVarint(valueLength) +
      Math.max(0, valueLength) +
      headersSize
    this.#reserve(size + 5)
    this.#varint(size)
    this.#buffer[this.#length++] = 0
    this.#varlong(elapsed)
    this.#varint(this.count)
    this.#varint(keyLength)
    if (key !== null) this.#bytes(key)
    this.#varint(valueLength)
    if (value !== undefined) {
      value.buffer.copy(this.#buffer, this.#length, 0, valueLength)
      this.#length += valueLength
    }
    if (headers.length === 0) this.#buffer[this.#length++] = 0
    else this.#headers(headers)
    this.count++
  }

  /** The whole batch as it is sent; valid as long as nothing is added. */
  finish(sender: BatchSender, compression: Compression, codecs: Codecs): Buffer {
    const batch = this.#packed(compression, codecs)
    const code = compressions.indexOf(compression)
    batch.writeBigInt64BE(0n, 0)
    batch.writeInt32BE(batch.length - 12, 8)
    batch.writeInt32BE(-1, 12)
    batch[16] = 2
    batch.writeInt16BE(code | (sender.isTransactional ? TRANSACTIONAL : 0), 21)
    batch.writeInt32BE(this.count - 1, 23)
    batch.writeBigInt64BE(BigInt(this.#firstTime), 27)
    batch.writeBigInt64BE(BigInt(this.#lastTime), 35)
    batch.writeBigInt64BE(sender.producerId, 43)
    batch.writeInt16BE(sender.producerEpoch, 51)
    batch.writeInt32BE(sender.sequence, 53)
    batch.writeInt32BE(this.count, 57)
    batch.writeUInt32BE(codecs.crc32c(batch.subarray(21)), 17)
    return batch
  }

  /** Its memory may be used for others: call it once, when nobody sends it any more. */
  release(): void {
    this.#buffers.give(this.#buffer)
  }

  #packed(compression: Compression, codecs: Codecs): Buffer {
    const plain = this.#buffer.subarray(0, this.#length)
    if (compression === 'none') return plain
    const packed = codecs.compress(compression, plain.subarray(HEADER_BYTES))
    const batch = Buffer.allocUnsafe(HEADER_BYTES + packed.length)
    packed.copy(batch, HEADER_BYTES)
    return batch
  }

  #reserve(count: number): void {
    const wanted = this.#length + count
    if (wanted <= this.#buffer.length) return
    const grown = this.#buffers.take(wanted)
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffers.give(this.#buffer)
    this.#buffer = grown
  }

  #bytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #headers(headers: readonly KafkaHeader[]): void {
    this.#varint(headers.length)
    for (const { name, value } of headers) {
      this.#varint(Buffer.byteLength(name))
      this.#length += this.#buffer.write(name, this.#length)
      this.#varint(value === null ? -1 : value.length)
      if (value !== null) this.#bytes(value)
    }
  }

  #varint(value: number): void {
    const buffer = this.#buffer
    let rest = (value << 1) ^ (value >> 31)
    while ((rest & ~0x7f) !== 0) {
      buffer[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    buffer[this.#length++] = rest
  }

  #varlong(value: number): void {
    const buffer = this.#buffer
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest >= 0x80) {
      buffer[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    buffer[this.#length++] = rest
  }
}

function sizeOfVarint(value: number): number {
  let rest = (value << 1) ^ (value >> 31)
  let size = 1
  while ((rest & ~0x7f) !== 0) {
    size++
    rest >>>= 7
  }
  return size
}

function sizeOfVarlong(value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let size = 1
  while (rest >= 0x80) {
    size++
    rest = Math.floor(rest / 128)
  }
  return size
}

function sizeOfHeaders(headers: readonly KafkaHeader[]): number {
  let size = sizeOfVarint(headers.length)
  for (const { name, value } of headers) {
    const length = Buffer.byteLength(name)
    size += sizeOfVarint(length) + length
    size += sizeOfVarint(value === null ? -1 : value.length) + (value?.length ?? 0)
  }
  return size
}
