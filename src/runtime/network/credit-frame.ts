/** What a receiver says to its sender: more credits, and frames of another size if need be. */
import { FRAME_BYTES_MIN } from './buffer-debloater.ts'
import { networkErrors } from './network-errors.ts'
import { FRAME_BYTES_MAX } from './network-settings.ts'
import { type Frame, HEADER_BYTES, putHeader } from './wire-format.ts'

const SIZE_BYTES = 4

export interface CreditGrant {
  readonly channel: number
  readonly credits: number
  /** From now on; `undefined`: as before. */
  readonly frameBytes: number | undefined
}

export function encodeCredit({ channel, credits, frameBytes }: CreditGrant): Buffer {
  const payload = frameBytes === undefined ? 0 : SIZE_BYTES
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload)
  putHeader(frame, { kind: 'credit', flags: 0, channel, amount: credits })
  if (frameBytes !== undefined) frame.writeUInt32LE(frameBytes, HEADER_BYTES)
  return frame
}

/** Throws WEIR_FRAME_MALFORMED. */
export function decodeCredit({ kind, channel, amount, payload }: Frame): CreditGrant {
  if (kind !== 'credit') {
    throw networkErrors.WEIR_FRAME_MALFORMED({ what: `${kind} where credits are due` })
  }
  if (payload.length === 0) return { channel, credits: amount, frameBytes: undefined }
  const frameBytes = payload.length === SIZE_BYTES ? payload.readUInt32LE(0) : -1
  if (frameBytes < FRAME_BYTES_MIN || frameBytes > FRAME_BYTES_MAX) {
    throw networkErrors.WEIR_FRAME_MALFORMED({ what: `a credit for frames of ${frameBytes} bytes` })
  }
  return { channel, credits: amount, frameBytes }
}
