/**
 * The memory that snapshots are written into, used again from one to the next. The garbage
 * collector counts memory outside its heap too: fresh megabytes at each checkpoint would make it go
 * through the whole heap each time, and the system clear every page of them.
 *
 * Invariant
 *  CP1  A chunk is given back once, when nobody reads it any more.
 */

export const CHUNK_BYTES = 64 * 1024
export const FIRST_CHUNK_BYTES = 256
/** Every chunk that is kept is so many times as large as the next smaller one. */
const GROWTH = 4

export class ChunkPool {
  /** By size. */
  readonly #free = new Map<number, Buffer[]>()

  constructor() {
    for (let size = FIRST_CHUNK_BYTES; size <= CHUNK_BYTES; size *= GROWTH) this.#free.set(size, [])
  }

  /** A chunk of at least `bytes`, with anything in it. */
  take(bytes: number): Buffer {
    return this.#free.get(bytes)?.pop() ?? Buffer.allocUnsafeSlow(bytes)
  }

  /** The next after a chunk that has no room for `bytes` more. */
  takeAfter(chunk: Buffer, bytes: number): Buffer {
    return this.take(Math.max(bytes, Math.min(chunk.length * GROWTH, CHUNK_BYTES)))
  }

  /** `chunk` may be any part of what `take` gave. Other sizes are left to the collector. */
  give(chunk: Buffer): void {
    this.#free.get(chunk.buffer.byteLength)?.push(Buffer.from(chunk.buffer))
  }

  /** Lets go of what a whole snapshot had no use for. */
  clear(): void {
    for (const chunks of this.#free.values()) chunks.length = 0
  }
}
