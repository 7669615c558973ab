/**
 * The bytes of recorded data: each item is a kind (1 byte), a length (4 bytes, little endian) and
 * the payload, one after the other. Frames keep the bytes they travel with.
 *
 * Owns        that layout.
 * Leaves out  records in frames (`frame-pieces.ts`), where the bytes are stored (`checkpoint/`).
 */
import { bytesErrors } from '../../common/bytes.ts'
import type { JobEdge } from '../../graph/job-graph.ts'
import type { FramePiece, InFlightItem } from './channel.ts'
import { makePieceEncoder, type PieceEncoder } from './frame-pieces.ts'
import type { StatusEvent, WatermarkEvent } from './stream-item.ts'
import { wireOf } from './wire-of.ts'

const FRAME = 0
const FRAME_WITH_MORE = 1
const WATERMARK = 2
const ACTIVE = 3
const IDLE = 4
const HEAD_BYTES = 5

/** What stored items are read as. */
export type StoredItem = FramePiece | WatermarkEvent | StatusEvent

/** The encoders of a task's edges. Each is compiled at its first need: few checkpoints have one. */
export class ItemEncoders {
  readonly #encoders = new Map<string, PieceEncoder>()

  /** Gives chunks to be stored one after the other. */
  encode(edge: JobEdge, items: readonly InFlightItem[]): readonly Buffer[] {
    return encodeItems(items, batch => this.#encoderOf(edge)(batch))
  }

  #encoderOf(edge: JobEdge): PieceEncoder {
    const known = this.#encoders.get(edge.id)
    if (known !== undefined) return known
    const encoder = makePieceEncoder(wireOf(edge).type)
    this.#encoders.set(edge.id, encoder)
    return encoder
  }
}

function encodeItems(items: readonly InFlightItem[], encode: PieceEncoder): readonly Buffer[] {
  const chunks: Buffer[] = []
  const add = (kind: number, payload: Buffer): void => {
    const head = Buffer.allocUnsafe(HEAD_BYTES)
    head.writeUInt8(kind, 0)
    head.writeUInt32LE(payload.length, 1)
    chunks.push(head, payload)
  }
  const addPiece = ({ bytes, more }: FramePiece): void => add(more ? FRAME_WITH_MORE : FRAME, bytes)
  for (const item of items) {
    switch (item.kind) {
      case 'records':
        encode(item).forEach(addPiece)
        break
      case 'frame':
        addPiece(item)
        break
      case 'watermark': {
        const payload = Buffer.allocUnsafe(8)
        payload.writeDoubleLE(item.watermark, 0)
        add(WATERMARK, payload)
        break
      }
      case 'status':
        add(item.status === 'active' ? ACTIVE : IDLE, Buffer.alloc(0))
    }
  }
  return chunks
}

/** The items of one stored section, as views into it. Throws WEIR_BYTES_MALFORMED. */
export function decodeItems(bytes: Buffer): readonly StoredItem[] {
  const items: StoredItem[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + HEAD_BYTES > bytes.length) throw malformed(at, 'an item without head')
    const start = at + HEAD_BYTES
    const end = start + bytes.readUInt32LE(at + 1)
    if (end > bytes.length) throw malformed(at, `an item that ends at ${end}`)
    items.push(decodeItem(bytes.readUInt8(at), bytes.subarray(start, end), at))
    at = end
  }
  return items
}

function decodeItem(kind: number, payload: Buffer, at: number): StoredItem {
  switch (kind) {
    case FRAME:
    case FRAME_WITH_MORE:
      return { kind: 'frame', bytes: payload, more: kind === FRAME_WITH_MORE }
    case WATERMARK:
      if (payload.length !== 8) throw malformed(at, `a watermark of ${payload.length} bytes`)
      return { kind: 'watermark', watermark: payload.readDoubleLE(0) }
    case ACTIVE:
      return { kind: 'status', status: 'active' }
    case IDLE:
      return { kind: 'status', status: 'idle' }
    default:
      throw malformed(at, `an item of unknown kind ${kind}`)
  }
}

function malformed(offset: number, found: string): Error {
  return bytesErrors.WEIR_BYTES_MALFORMED({ offset, what: found })
}
