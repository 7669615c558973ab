/**
 * Messages on a byte stream: four bytes of length, then as many of JSON.
 *
 * Owns        the frame and its bound.
 * Leaves out  what a message says: the receiver checks it against its schema.
 */
import { messageOf } from '../../common/errors.ts'
import { clusterErrors } from '../cluster-errors.ts'

/** The code of a job and its restore plan are the largest; both ends hold a message whole. */
export const MESSAGE_BYTES_MAX = 64 * 2 ** 20

const HEADER_BYTES = 4

export function encodeMessage(message: unknown): Buffer {
  const text = JSON.stringify(message)
  const length = Buffer.byteLength(text)
  if (length > MESSAGE_BYTES_MAX) throw tooLarge(length)
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length)
  frame.writeUInt32BE(length, 0)
  frame.write(text, HEADER_BYTES)
  return frame
}

/** Puts chunks of a stream together again; after an error it must not be used further. */
export class MessageDecoder {
  #chunks: Buffer[] = []
  #length = 0

  /** The first chunk, made long enough. A large message is joined once, when it is whole. */
  #peek(bytes: number): Buffer {
    const first = this.#chunks[0]
    if (first !== undefined && first.length >= bytes) return first
    const joined = Buffer.concat(this.#chunks)
    this.#chunks = [joined]
    return joined
  }

  /** The messages that are whole with this chunk. Throws WEIR_CONTROL_MALFORMED. */
  *push(chunk: Buffer): Generator<unknown> {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    for (;;) {
      if (this.#length < HEADER_BYTES) return
      const size = this.#peek(HEADER_BYTES).readUInt32BE(0)
      if (size > MESSAGE_BYTES_MAX) throw tooLarge(size)
      if (this.#length < HEADER_BYTES + size) return
      const frame = this.#peek(HEADER_BYTES + size)
      this.#chunks = [frame.subarray(HEADER_BYTES + size)]
      this.#length -= HEADER_BYTES + size
      yield parse(frame.toString('utf8', HEADER_BYTES, HEADER_BYTES + size))
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw clusterErrors.WEIR_CONTROL_MALFORMED({ reason: messageOf(error) }, error)
  }
}

function tooLarge(length: number): Error {
  const reason = `it announces a message of ${length} bytes, at most ${MESSAGE_BYTES_MAX} are taken`
  return clusterErrors.WEIR_CONTROL_MALFORMED({ reason })
}
