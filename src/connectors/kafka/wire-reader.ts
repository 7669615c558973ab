/** Reads the fields of Kafka's answers. */
export class WireReader {
  readonly #buffer: Buffer
  #at = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  int8(): number {
    return this.#buffer.readInt8(this.#step(1))
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#step(2))
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#step(4))
  }

  /** Offsets and times: below 2^53 for as long as anyone will live. */
  int64(): number {
    return Number(this.bigint64())
  }

  bigint64(): bigint {
    return this.#buffer.readBigInt64BE(this.#step(8))
  }

  string(): string | null {
    const length = this.int16()
    if (length < 0) return null
    const start = this.#step(length)
    return this.#buffer.toString('utf8', start, start + length)
  }

  /** A part of the answer itself, not a copy. */
  bytes(): Buffer {
    const length = Math.max(0, this.int32())
    const start = this.#step(length)
    return this.#buffer.subarray(start, start + length)
  }

  list<T>(read: () => T): T[] {
    const count = this.int32()
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read())
    return items
  }

  /** As in the versions that the protocol calls flexible. */
  compactString(): string | null {
    const length = this.#varint() - 1
    if (length < 0) return null
    const start = this.#step(length)
    return this.#buffer.toString('utf8', start, start + length)
  }

  compactList<T>(read: () => T): T[] {
    const count = this.#varint() - 1
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read())
    return items
  }

  /** Passes over what newer brokers add. */
  tags(): void {
    for (let count = this.#varint(); count > 0; count--) {
      this.#varint()
      this.#step(this.#varint())
    }
  }

  #varint(): number {
    let value = 0
    let byte = 0x80
    for (let shift = 0; byte >= 0x80; shift += 7) {
      byte = this.#buffer[this.#step(1)] as number
      value |= (byte & 0x7f) << shift
    }
    return value
  }

  #step(size: number): number {
    const start = this.#at
    this.#at += size
    return start
  }
}
