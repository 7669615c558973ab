/**
 * Puts the bytes of a socket together into answers. An answer that comes in many pieces gets a
 * buffer of its own at once, and the socket reads right into that: kept piece by piece and copied
 * together at the end, what a source fetches would go through memory three times, and the garbage
 * of it would be most of what a process has resident.
 */
const LENGTH_BYTES = 4
const SCRATCH_BYTES = 64 * 1024
/** Brokers take no batch above 100 MiB unless told to. Words of TLS read as a length are more. */
const ANSWER_BYTES_MAX = 256 << 20

export class AnswerFrames {
  readonly #done: (answer: Buffer) => void
  /** For what is not known to be large. */
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  /** Bytes of the next answer at the beginning of the scratch. */
  #kept = 0
  /** The answer that has begun, and how much of it is there. */
  #open: Buffer | undefined
  #filled = 0

  /** @param done told of each answer, without its length before; it is the receiver's. */
  constructor(done: (answer: Buffer) => void) {
    this.#done = done
  }

  /** Where the socket puts the next bytes; never empty. */
  get room(): Buffer {
    return this.#open?.subarray(this.#filled) ?? this.#scratch.subarray(this.#kept)
  }

  /** So many bytes came into the room. Throws where they cannot be an answer. */
  take(count: number): void {
    if (this.#open === undefined) this.#split(this.#kept + count)
    else this.#fill(this.#open, count)
  }

  #fill(open: Buffer, count: number): void {
    this.#filled += count
    if (this.#filled < open.length) return
    this.#open = undefined
    this.#done(open)
  }

  #split(end: number): void {
    let at = 0
    while (end - at >= LENGTH_BYTES) {
      const size = this.#scratch.readInt32BE(at)
      if (size < LENGTH_BYTES || size > ANSWER_BYTES_MAX) {
        throw new Error(`an answer of ${size} bytes: it does not speak Kafka, or wants TLS`)
      }
      const start = at + LENGTH_BYTES
      const answer = Buffer.allocUnsafe(size)
      this.#filled = this.#scratch.copy(answer, 0, start, Math.min(end, start + size))
      at = start + this.#filled
      if (this.#filled < size) this.#open = answer
      else this.#done(answer)
    }
    this.#kept = this.#scratch.copy(this.#scratch, 0, at, end)
  }
}
