/**
 * Growing byte buffers with little-endian numbers, varints and strings. `ByteWriter` never shrinks,
 * so that a snapshot or a frame reuses one. `ByteReader` checks every read against its limit: bytes
 * from a file or a peer are never trusted.
 */
import { defineErrors } from './errors.ts'

export const bytesErrors = defineErrors({
  WEIR_BYTES_MALFORMED: {
    domain: 'external',
    retry: 'never',
    message: (e: { what: string; offset: number }) => `malformed bytes at ${e.offset}: ${e.what}`,
    next: 'the file or frame is truncated or corrupted; restore an older checkpoint',
  },
})

/** Lone surrogates do not survive UTF-8: such strings are kept as UTF-16, marked by this length. */
const UTF16_MARK = 1

export class ByteWriter {
  length = 0
  #buffer: Buffer
  #data: DataView

  constructor(capacity = 1024) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity)
    this.#data = new DataView(this.#buffer.buffer)
  }

  get buffer(): Buffer {
    return this.#buffer
  }

  /** Another buffer to write into, so that the one before can be handed on. */
  set buffer(buffer: Buffer) {
    this.#buffer = buffer
    this.#data = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
  }

  /** The same bytes as `buffer`: numbers of several bytes go through it in one store. */
  get data(): DataView {
    return this.#data
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const wanted = this.length + count
    if (wanted <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }

  clear(): void {
    this.length = 0
  }

  /** A view of what was written; valid until the next write. */
  view(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.view())
  }

  writeUint8(value: number): void {
    this.reserve(1)
    this.buffer[this.length++] = value
  }

  writeInt32(value: number): void {
    this.reserve(4)
    this.length = this.buffer.writeInt32LE(value, this.length)
  }

  writeUint32(value: number): void {
    this.reserve(4)
    this.length = this.buffer.writeUInt32LE(value, this.length)
  }

  writeInt64(value: bigint): void {
    this.reserve(8)
    this.length = this.buffer.writeBigInt64LE(value, this.length)
  }

  writeFloat64(value: number): void {
    this.reserve(8)
    this.length = this.buffer.writeDoubleLE(value, this.length)
  }

  /** An unsigned integer below 2^53, seven bits a byte. */
  writeVarint(value: number): void {
    this.reserve(8)
    const buffer = this.buffer
    let rest = value
    while (rest >= 0x80) {
      buffer[this.length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    buffer[this.length++] = rest
  }

  /** Any string, lone surrogates included: a varint of (bytes * 2 + mark), then the bytes. */
  writeString(value: string): void {
    if (value.isWellFormed()) {
      const size = Buffer.byteLength(value)
      this.writeVarint(size * 2)
      this.reserve(size)
      this.buffer.write(value, this.length, size, 'utf8')
      this.length += size
    } else {
      const size = value.length * 2
      this.writeVarint(size * 2 + UTF16_MARK)
      this.reserve(size)
      this.buffer.write(value, this.length, size, 'utf16le')
      this.length += size
    }
  }

  writeBytes(value: Uint8Array): void {
    this.reserve(value.length)
    this.buffer.set(value, this.length)
    this.length += value.length
  }
}

export class ByteReader {
  readonly buffer: Buffer
  offset: number
  readonly limit: number
  #data: DataView | undefined = undefined

  constructor(buffer: Buffer, offset = 0, limit = buffer.length) {
    this.buffer = buffer
    this.offset = offset
    this.limit = limit
  }

  /** The same bytes as `buffer`: numbers of several bytes come through it in one load. */
  get data(): DataView {
    const { buffer } = this
    this.#data ??= new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
    return this.#data
  }

  get remaining(): number {
    return this.limit - this.offset
  }

  /** Throws WEIR_BYTES_MALFORMED unless `count` more bytes are there. */
  need(count: number): void {
    if (this.offset + count > this.limit) {
      throw bytesErrors.WEIR_BYTES_MALFORMED({
        what: `${count} bytes wanted, ${this.remaining} left`,
        offset: this.offset,
      })
    }
  }

  readUint8(): number {
    this.need(1)
    return this.buffer[this.offset++] as number
  }

  readInt32(): number {
    this.need(4)
    const value = this.buffer.readInt32LE(this.offset)
    this.offset += 4
    return value
  }

  readUint32(): number {
    this.need(4)
    const value = this.buffer.readUInt32LE(this.offset)
    this.offset += 4
    return value
  }

  readInt64(): bigint {
    this.need(8)
    const value = this.buffer.readBigInt64LE(this.offset)
    this.offset += 8
    return value
  }

  readFloat64(): number {
    this.need(8)
    const value = this.buffer.readDoubleLE(this.offset)
    this.offset += 8
    return value
  }

  readVarint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.readUint8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
      if (scale > Number.MAX_SAFE_INTEGER) {
        throw bytesErrors.WEIR_BYTES_MALFORMED({ what: 'endless varint', offset: this.offset })
      }
    }
  }

  readString(): string {
    const header = this.readVarint()
    const size = Math.floor(header / 2)
    this.need(size)
    const start = this.offset
    this.offset += size
    return header % 2 === UTF16_MARK
      ? this.buffer.toString('utf16le', start, start + size)
      : this.buffer.toString('utf8', start, start + size)
  }

  /** A copy: the reader's buffer may be reused. */
  readBytes(count: number): Buffer {
    this.need(count)
    const value = Buffer.from(this.buffer.subarray(this.offset, this.offset + count))
    this.offset += count
    return value
  }
}
