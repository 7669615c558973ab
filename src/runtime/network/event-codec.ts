/** Events of a channel as frames, and back. Bytes of a peer are checked: each form has one size. */
import type { CheckpointBarrier } from '../task-contract.ts'
import { networkErrors } from './network-errors.ts'
import type { StreamEvent } from './stream-item.ts'
import { type Frame, HEADER_BYTES, putHeader } from './wire-format.ts'

const NUMBER_BYTES = 8
/** Id, trigger time, kind, alignment, alignment timeout. */
const BARRIER_BYTES = 26

const barrierKinds = ['checkpoint', 'savepoint'] as const
const alignmentKinds = ['aligned', 'unaligned', 'timeout'] as const
const statuses = ['active', 'idle'] as const

/** A frame with its header; the backlog is put in when it leaves. */
export function encodeEvent(event: StreamEvent, channel: number, flags: number): Buffer {
  const payload = payloadBytes(event)
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload)
  putHeader(frame, { kind: event.kind, flags, channel, amount: 0 })
  switch (event.kind) {
    case 'watermark':
      frame.writeDoubleLE(event.watermark, HEADER_BYTES)
      break
    case 'status':
      frame[HEADER_BYTES] = statuses.indexOf(event.status)
      break
    case 'barrier':
      putBarrier(frame, event.barrier)
      break
    case 'cancel-barrier':
      frame.writeDoubleLE(event.checkpointId, HEADER_BYTES)
      break
    case 'end-of-data':
      frame[HEADER_BYTES] = event.drain ? 1 : 0
      break
    case 'end-of-partition':
      break
  }
  return frame
}

function payloadBytes(event: StreamEvent): number {
  switch (event.kind) {
    case 'watermark':
    case 'cancel-barrier':
      return NUMBER_BYTES
    case 'barrier':
      return BARRIER_BYTES
    case 'status':
    case 'end-of-data':
      return 1
    case 'end-of-partition':
      return 0
  }
}

function putBarrier(frame: Buffer, barrier: CheckpointBarrier): void {
  const { alignment } = barrier
  const timeoutMs = alignment.kind === 'timeout' ? alignment.timeoutMs : 0
  frame.writeDoubleLE(barrier.checkpointId, HEADER_BYTES)
  frame.writeDoubleLE(barrier.timestamp, HEADER_BYTES + 8)
  frame[HEADER_BYTES + 16] = barrierKinds.indexOf(barrier.kind)
  frame[HEADER_BYTES + 17] = alignmentKinds.indexOf(alignment.kind)
  frame.writeDoubleLE(timeoutMs, HEADER_BYTES + 18)
}

/** Throws WEIR_FRAME_MALFORMED. */
export function decodeEvent({ kind, payload }: Frame): StreamEvent {
  switch (kind) {
    case 'watermark':
      return { kind, watermark: numberOf(payload) }
    case 'status':
      return { kind, status: wordOf(statuses, payload, 0) }
    case 'barrier':
      return { kind, barrier: barrierOf(payload) }
    case 'cancel-barrier':
      return { kind, checkpointId: numberOf(payload) }
    case 'end-of-data':
      return { kind, drain: wordOf([false, true], payload, 0) }
    case 'end-of-partition':
      sized(payload, 0)
      return { kind }
    default:
      throw networkErrors.WEIR_FRAME_MALFORMED({ what: `${kind} is no event` })
  }
}

function numberOf(payload: Buffer): number {
  return sized(payload, NUMBER_BYTES).readDoubleLE(0)
}

function barrierOf(payload: Buffer): CheckpointBarrier {
  sized(payload, BARRIER_BYTES)
  const kind = alignmentKinds[payload[17] as number]
  const timeoutMs = payload.readDoubleLE(18)
  if (kind === undefined) throw networkErrors.WEIR_FRAME_MALFORMED({ what: 'an unknown alignment' })
  return {
    checkpointId: payload.readDoubleLE(0),
    timestamp: payload.readDoubleLE(8),
    kind: wordOf(barrierKinds, payload.subarray(16, 17), 0),
    alignment: kind === 'timeout' ? { kind, timeoutMs } : { kind },
  }
}

function wordOf<T>(words: readonly T[], payload: Buffer, at: number): T {
  const index = sized(payload, 1)[at] as number
  const word = words[index]
  if (word === undefined) throw networkErrors.WEIR_FRAME_MALFORMED({ what: `the code ${index}` })
  return word
}

function sized(payload: Buffer, bytes: number): Buffer {
  if (payload.length === bytes) return payload
  throw networkErrors.WEIR_FRAME_MALFORMED({
    what: `an event of ${payload.length} bytes, ${bytes} expected`,
  })
}
