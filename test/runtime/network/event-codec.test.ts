import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { WeirError } from '../../../src/common/errors.ts'
import { decodeEvent, encodeEvent } from '../../../src/runtime/network/event-codec.ts'
import { FrameReader } from '../../../src/runtime/network/frame-reader.ts'
import type { StreamEvent } from '../../../src/runtime/network/stream-item.ts'
import {
  FRAME_KINDS,
  type Frame,
  type FrameKind,
} from '../../../src/runtime/network/wire-format.ts'

const events: readonly StreamEvent[] = [
  { kind: 'watermark', watermark: Number.MAX_SAFE_INTEGER },
  { kind: 'watermark', watermark: -1.5 },
  { kind: 'status', status: 'idle' },
  { kind: 'status', status: 'active' },
  ...(['checkpoint', 'savepoint'] as const).flatMap(kind =>
    [
      { kind: 'aligned' } as const,
      { kind: 'unaligned' } as const,
      { kind: 'timeout', timeoutMs: 250 } as const,
    ].map(alignment => {
      const barrier = { checkpointId: 2 ** 40, timestamp: 1_700_000_000_123, kind, alignment }
      return { kind: 'barrier', barrier } as const
    }),
  ),
  { kind: 'cancel-barrier', checkpointId: 17 },
  { kind: 'end-of-data', drain: true },
  { kind: 'end-of-data', drain: false },
  { kind: 'end-of-partition' },
]

function frameOf(bytes: Buffer): Frame {
  const frames: Frame[] = []
  new FrameReader(frame => frames.push(frame)).push(bytes)
  if (frames.length !== 1) throw new Error(`${frames.length} frames`)
  return frames[0] as Frame
}

test.each(events)('%j comes back', event => {
  const frame = frameOf(encodeEvent(event, 300, 2))
  expect([frame.channel, frame.flags]).toEqual([300, 2])
  expect(decodeEvent(frame)).toEqual(event)
})

test('other payloads are events or WEIR_FRAME_MALFORMED', () => {
  const kinds = fc.constantFrom(...(Object.keys(FRAME_KINDS) as FrameKind[]))
  fc.assert(
    fc.property(kinds, fc.uint8Array({ maxLength: 30 }), (kind, payload) => {
      const frame = { kind, flags: 0, channel: 0, amount: 0, payload: Buffer.from(payload) }
      try {
        expect(decodeEvent(frame)).toBeDefined()
      } catch (error) {
        if (!(error instanceof WeirError) || error.code !== 'WEIR_FRAME_MALFORMED') throw error
      }
    }),
    { numRuns: 1_000 },
  )
})
