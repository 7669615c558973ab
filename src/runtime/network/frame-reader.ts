/**
 * Cuts the bytes of a connection into frames, wherever the socket cut them. The bytes of a peer are
 * not trusted: what cannot be a frame ends the connection.
 *
 * Invariants
 *  FR1  The same bytes give the same frames, whatever their pieces.
 *  FR2  At most one frame is held, and it is never larger than FRAME_BYTES_MAX.
 *  FR3  After an error nothing more is read.
 */
import { assert } from '../../common/assert.ts'
import { networkErrors } from './network-errors.ts'
import { FRAME_BYTES_MAX } from './network-settings.ts'
import { FLAG_MORE, FLAG_PRIORITY, type Frame, HEADER_BYTES, kindNames } from './wire-format.ts'

export class FrameReader {
  readonly #take: (frame: Frame) => void
  readonly #header: Buffer = Buffer.allocUnsafeSlow(HEADER_BYTES)
  /** The frame that is not whole yet: `#header` until its size is known. */
  #partial: Buffer = this.#header
  #filled = 0
  #broken = false

  constructor(take: (frame: Frame) => void) {
    this.#take = take
  }

  /** Gives the frames that are whole now. Throws WEIR_FRAME_MALFORMED. */
  push(chunk: Buffer): void {
    assert(!this.#broken, 'FR3: nothing is read after an error')
    this.#broken = true
    let at = this.#filled === 0 ? 0 : this.#complete(chunk)
    if (this.#filled === 0) at = this.#whole(chunk, at)
    if (at < chunk.length) this.#keep(chunk, at)
    this.#broken = false
  }

  /** Gives the frames that lie whole in the chunk, from `at`; where they end. */
  #whole(chunk: Buffer, from: number): number {
    let at = from
    while (chunk.length - at >= HEADER_BYTES) {
      const size = frameSize(chunk, at)
      if (chunk.length - at < size) break
      this.#take(frameAt(chunk, at, size))
      at += size
    }
    return at
  }

  /** Goes on with the frame that was cut; where the rest of the chunk begins. */
  #complete(chunk: Buffer): number {
    let at = 0
    if (this.#partial === this.#header) {
      at = this.#copy(chunk, 0)
      if (this.#filled < HEADER_BYTES) return at
      this.#grow()
    }
    at = this.#copy(chunk, at)
    if (this.#filled < this.#partial.length) return at
    const frame = this.#partial
    this.#partial = this.#header
    this.#filled = 0
    this.#take(frameAt(frame, 0, frame.length))
    return at
  }

  #keep(chunk: Buffer, from: number): void {
    const at = this.#copy(chunk, from)
    if (this.#filled < HEADER_BYTES || this.#partial !== this.#header) return
    this.#grow()
    this.#copy(chunk, at)
  }

  /** The header is whole: the frame gets bytes of its own. */
  #grow(): void {
    const frame = Buffer.allocUnsafeSlow(frameSize(this.#header, 0))
    this.#header.copy(frame)
    this.#partial = frame
    assert(frame.length <= FRAME_BYTES_MAX, 'FR2: a frame is at most FRAME_BYTES_MAX')
  }

  #copy(chunk: Buffer, from: number): number {
    const end = Math.min(chunk.length, from + this.#partial.length - this.#filled)
    chunk.copy(this.#partial, this.#filled, from, end)
    this.#filled += end - from
    return end
  }
}

function frameSize(bytes: Buffer, at: number): number {
  const size = bytes.readUInt32LE(at)
  if (size < HEADER_BYTES || size > FRAME_BYTES_MAX) {
    throw networkErrors.WEIR_FRAME_MALFORMED({
      what: `${size} bytes, ${HEADER_BYTES} to ${FRAME_BYTES_MAX} are possible`,
    })
  }
  return size
}

function frameAt(bytes: Buffer, at: number, size: number): Frame {
  const kind = kindNames[bytes[at + 4] as number]
  const flags = bytes[at + 5] as number
  if (kind === undefined || (flags & ~(FLAG_MORE | FLAG_PRIORITY)) !== 0) {
    throw networkErrors.WEIR_FRAME_MALFORMED({ what: `kind ${bytes[at + 4]} with flags ${flags}` })
  }
  return {
    kind,
    flags,
    channel: bytes.readUInt16LE(at + 6),
    amount: bytes.readUInt32LE(at + 8),
    payload: bytes.subarray(at + HEADER_BYTES, at + size),
  }
}
