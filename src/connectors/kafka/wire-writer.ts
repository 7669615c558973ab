/** Writes the fields of requests: big endian, strings and lists with their length before. */
export class WireWriter {
  #buffer: Buffer
  #length = 0

  constructor(size = 256) {
    this.#buffer = Buffer.allocUnsafe(size)
  }

  int8(value: number): this {
    this.#length = this.#room(1).writeInt8(value, this.#length)
    return this
  }

  int16(value: number): this {
    this.#length = this.#room(2).writeInt16BE(value, this.#length)
    return this
  }

  int32(value: number): this {
    this.#length = this.#room(4).writeInt32BE(value, this.#length)
    return this
  }

  int64(value: bigint | number): this {
    this.#length = this.#room(8).writeBigInt64BE(BigInt(value), this.#length)
    return this
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    const size = Buffer.byteLength(value)
    this.int16(size)
    this.#length += this.#room(size).write(value, this.#length)
    return this
  }

  /** With its length before, as records are in a request. */
  bytes(value: Uint8Array): this {
    this.int32(value.length)
    this.#room(value.length).set(value, this.#length)
    this.#length += value.length
    return this
  }

  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length)
    for (const item of items) write(item)
    return this
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #room(size: number): Buffer {
    const needed = this.#length + size
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(grown, 0, 0, this.#length)
      this.#buffer = grown
    }
    return this.#buffer
  }
}
