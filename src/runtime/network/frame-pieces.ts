/**
 * Record batches as pieces of frames, and back: what is stored of channels. A frame larger than a
 * piece is cut; its pieces follow each other.
 */
import { makeFrameDecoder } from '../../schema/frame-decoder.ts'
import { makeFrameEncoder } from '../../schema/frame-encoder.ts'
import type { Type } from '../../schema/type.ts'
import type { FramePiece } from './channel.ts'
import { RecordBatch } from './stream-item.ts'

/** A barrier on a connection waits for one piece at most. */
export const PIECE_BYTES_MAX = 32 * 1024

export type PieceEncoder = (batch: RecordBatch) => readonly FramePiece[]

/** Compiles code of its own. */
export function makePieceEncoder(type: Type<unknown>): PieceEncoder {
  const encoder = makeFrameEncoder(type, { limitBytes: PIECE_BYTES_MAX })
  return batch => {
    const pieces: FramePiece[] = []
    for (let i = 0; i < batch.size; i++) {
      const value = batch.items[i * 2]
      const timestamp = batch.items[i * 2 + 1] as number
      if (encoder.add(value, timestamp)) continue
      cut(encoder.finish(), pieces)
      encoder.add(value, timestamp)
    }
    if (encoder.count > 0) cut(encoder.finish(), pieces)
    return pieces
  }
}

/** The encoder goes on using the frame's bytes: they are copied. */
function cut(frame: Buffer, pieces: FramePiece[]): void {
  for (let at = 0; at < frame.length; at += PIECE_BYTES_MAX) {
    const bytes = Buffer.from(frame.subarray(at, at + PIECE_BYTES_MAX))
    pieces.push({ kind: 'frame', bytes, more: at + bytes.length < frame.length })
  }
}

/** Gives a batch, or `undefined` while the frame's last piece is missing. */
export type PieceDecoder = (piece: FramePiece) => RecordBatch | undefined

/** Each channel has one of its own: it holds the pieces of a frame that is not whole yet. */
export function makePieceDecoder(type: Type<unknown>): PieceDecoder {
  const decoder = makeFrameDecoder(type)
  let held: Buffer[] = []
  return ({ bytes, more }) => {
    held.push(bytes)
    if (more) return undefined
    const count = decoder.open(held.length === 1 ? bytes : Buffer.concat(held))
    held = []
    const items = new Array<unknown>(count * 2)
    for (let i = 0; i < count; i++) {
      items[i * 2] = decoder.value(i)
      items[i * 2 + 1] = decoder.timestamp(i)
    }
    return new RecordBatch(items, count)
  }
}
