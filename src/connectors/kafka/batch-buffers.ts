/**
 * The memory of batches, used again when the broker has acknowledged them: made anew for each they
 * are the most that a sink leaves to the garbage collector. Sizes are powers of two.
 */
const SMALLEST_BITS = 12

export class BatchBuffers {
  readonly #free = new Map<number, Buffer[]>()
  readonly #mostBytes: number
  #freeBytes = 0

  /** @param mostBytes that lie here unused. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Of this size or larger; what is in it is anybody's. */
  take(bytes: number): Buffer {
    const size = 1 << Math.max(SMALLEST_BITS, 32 - Math.clz32(Math.max(0, bytes - 1)))
    const found = this.#free.get(size)?.pop()
    if (found === undefined) return Buffer.allocUnsafeSlow(size)
    this.#freeBytes -= size
    return found
  }

  /** Nobody looks at it any more. */
  give(buffer: Buffer): void {
    const size = buffer.length
    if (this.#freeBytes + size > this.#mostBytes) return
    this.#freeBytes += size
    const same = this.#free.get(size)
    if (same === undefined) this.#free.set(size, [buffer])
    else same.push(buffer)
  }
}
