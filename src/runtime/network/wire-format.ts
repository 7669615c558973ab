/**
 * How frames lie on the wire. A connection carries the channels from one slot to another: data and
 * events one way, credits the other.
 *
 *   0  uint32  bytes of the frame, this header included; at most FRAME_BYTES_MAX
 *   4  uint8   kind
 *   5  uint8   flags
 *   6  uint16  channel: the index of the edge in the job graph
 *   8  uint32  data and events: how many more frames wait; a credit: how many are granted
 *  12  ...     payload
 *
 * Numbers are little-endian. Data is a piece of a frame of `schema/frame-layout.ts`: whole, or with
 * `FLAG_MORE` a part that the next data frame of the channel continues.
 */
import { FRAME_BYTES_MAX } from './network-settings.ts'

export const HEADER_BYTES = 12
/** The largest piece of data that any frame carries. */
export const PAYLOAD_BYTES_MAX: number = FRAME_BYTES_MAX - HEADER_BYTES

/** The record of this piece goes on in the next one. */
export const FLAG_MORE = 1
/** A barrier that overtook: it took no credit. */
export const FLAG_PRIORITY = 2

export const FRAME_KINDS = {
  data: 1,
  watermark: 2,
  status: 3,
  barrier: 4,
  'cancel-barrier': 5,
  'end-of-data': 6,
  'end-of-partition': 7,
  credit: 8,
  alive: 9,
} as const

export type FrameKind = keyof typeof FRAME_KINDS

export const kindNames: readonly (FrameKind | undefined)[] = [
  undefined,
  ...(Object.keys(FRAME_KINDS) as FrameKind[]),
]

/** A frame that arrived. Its payload lies in the bytes read from the socket. */
export interface Frame {
  readonly kind: FrameKind
  readonly flags: number
  readonly channel: number
  /** Backlog, or credits. */
  readonly amount: number
  readonly payload: Buffer
}

export interface FrameHeader {
  readonly kind: FrameKind
  readonly flags: number
  readonly channel: number
  readonly amount: number
}

/** Fills in the header of a frame whose payload lies behind it already. */
export function putHeader(frame: Buffer, header: FrameHeader): void {
  frame.writeUInt32LE(frame.length, 0)
  frame[4] = FRAME_KINDS[header.kind]
  frame[5] = header.flags
  frame.writeUInt16LE(header.channel, 6)
  frame.writeUInt32LE(header.amount, 8)
}

/** The backlog is known when a frame leaves. */
export function putAmount(frame: Buffer, amount: number): void {
  frame.writeUInt32LE(amount, 8)
}
