/**
 * Records as the payloads of data frames, outside of a connection: channel state consists of these.
 *
 * Invariants
 *  PC1  A record may be cut anywhere, also between what the receiver had and what the sender still
 *       held: pieces are joined by their bytes.
 */
import { assert } from '../../common/assert.ts'
import { makeFrameDecoder } from '../../schema/frame-decoder.ts'
import { makeFrameEncoder } from '../../schema/frame-encoder.ts'
import type { Type } from '../../schema/type.ts'
import type { FramePiece } from './channel.ts'
import { RecordBatch } from './stream-item.ts'
import { PAYLOAD_BYTES_MAX } from './wire-format.ts'

/** Turns the pieces of one channel, oldest first, into records. */
export interface PieceReader {
  /**
   * The records that this piece completes; `undefined` when the next one goes on with them. Throws
   * WEIR_BYTES_MALFORMED.
   */
  read(piece: FramePiece): RecordBatch | undefined
  /** Nothing is left over: the last piece completed its record. */
  readonly isWhole: boolean
}

export function makePieceReader(type: Type<unknown>): PieceReader {
  const decoder = makeFrameDecoder(type)
  let open: Buffer[] = []
  return {
    get isWhole() {
      return open.length === 0
    },
    read({ bytes, more }) {
      if (more) {
        open.push(bytes)
        return undefined
      }
      const frame = open.length === 0 ? bytes : Buffer.concat([...open, bytes])
      open = []
      return readBatch(decoder, frame)
    },
  }
}

/** The records of a whole frame. */
export function readBatch(
  decoder: ReturnType<typeof makeFrameDecoder<unknown>>,
  frame: Buffer,
): RecordBatch {
  const size = decoder.open(frame)
  const items = new Array<unknown>(size * 2)
  for (let i = 0; i < size; i++) {
    items[i * 2] = decoder.value(i)
    items[i * 2 + 1] = decoder.timestamp(i)
  }
  return new RecordBatch(items, size)
}

/** The records as they would travel. */
export function encodePieces(
  type: Type<unknown>,
  batches: Iterable<RecordBatch>,
): readonly FramePiece[] {
  const encoder = makeFrameEncoder(type, { limitBytes: PAYLOAD_BYTES_MAX })
  const pieces: FramePiece[] = []
  const close = (): void => {
    // The encoder's bytes are lent until its next frame.
    if (encoder.count > 0) pieces.push(...cutFrame(Buffer.from(encoder.finish())))
  }
  for (const { items, size } of batches) {
    for (let at = 0; at < size * 2; at += 2) {
      const timestamp = items[at + 1] as number
      if (encoder.add(items[at], timestamp)) continue
      close()
      const fits = encoder.add(items[at], timestamp)
      assert(fits, 'an empty frame takes any record')
    }
  }
  close()
  return pieces
}

/** A frame in pieces that fit on the wire. */
export function cutFrame(frame: Buffer): readonly FramePiece[] {
  const pieces: FramePiece[] = []
  for (let at = 0; at < frame.length; at += PAYLOAD_BYTES_MAX) {
    const end = Math.min(frame.length, at + PAYLOAD_BYTES_MAX)
    pieces.push({ kind: 'frame', bytes: frame.subarray(at, end), more: end < frame.length })
  }
  return pieces
}
