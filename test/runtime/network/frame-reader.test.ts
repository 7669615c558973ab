import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { WeirError } from '../../../src/common/errors.ts'
import { FrameReader } from '../../../src/runtime/network/frame-reader.ts'
import { FRAME_BYTES_MAX } from '../../../src/runtime/network/network-settings.ts'
import {
  FRAME_KINDS,
  type Frame,
  type FrameKind,
  HEADER_BYTES,
  putHeader,
} from '../../../src/runtime/network/wire-format.ts'

const frame = fc
  .record({
    kind: fc.constantFrom(...(Object.keys(FRAME_KINDS) as FrameKind[])),
    flags: fc.nat(3),
    channel: fc.nat(0xffff),
    amount: fc.nat(0xffff_ffff),
    payload: fc.oneof(
      { weight: 9, arbitrary: fc.uint8Array({ maxLength: 60 }) },
      fc.nat(FRAME_BYTES_MAX - HEADER_BYTES).map(size => new Uint8Array(size).fill(size)),
    ),
  })
  .map(({ payload, ...header }) => {
    const bytes = Buffer.alloc(HEADER_BYTES + payload.length)
    bytes.set(payload, HEADER_BYTES)
    putHeader(bytes, header)
    return bytes
  })

/** Sizes of chunks, used again and again. */
const cuts = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 70_000 })),
  {
    minLength: 1,
  },
)

/** What the reader makes of bytes in pieces: frames as text, then the error's code. */
function read(bytes: Buffer, sizes: readonly number[]): string[] {
  const seen: string[] = []
  const reader = new FrameReader(({ payload, ...header }: Frame) => {
    seen.push(`${JSON.stringify(header)} ${payload.toString('base64')}`)
  })
  try {
    for (let at = 0, n = 0; at < bytes.length; n++) {
      const end = at + (sizes[n % sizes.length] as number)
      // A chunk of its own, as a socket gives it: what lies behind must not be read.
      reader.push(Buffer.from(bytes.subarray(at, end)))
      at = end
    }
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    seen.push(error.code)
  }
  return seen
}

test('FR1: frames come out whole, wherever the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), cuts, (frames, sizes) => {
      const bytes = Buffer.concat(frames)
      const whole = read(bytes, [bytes.length + 1])
      expect(whole).toHaveLength(frames.length)
      expect(read(bytes, sizes)).toEqual(whole)
    }),
  )
})

test('FR1: any bytes give the same frames and the same error, wherever they are cut', () => {
  const damaged = fc
    .tuple(fc.array(frame, { maxLength: 4 }), fc.array(fc.tuple(fc.nat(), fc.nat(255))))
    .map(([frames, changes]) => {
      const bytes = Buffer.concat(frames)
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
      return bytes
    })
  const anything = fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(damaged, anything), cuts, (bytes, sizes) => {
      expect(read(bytes, sizes)).toEqual(read(bytes, [bytes.length + 1]))
    }),
    { numRuns: 500 },
  )
})

test.each([0, HEADER_BYTES - 1, FRAME_BYTES_MAX + 1, 0xffff_ffff])(
  'FR2: a frame that claims %d bytes is refused when its header is there',
  size => {
    const header = Buffer.alloc(HEADER_BYTES)
    putHeader(header, { kind: 'data', flags: 0, channel: 0, amount: 0 })
    header.writeUInt32LE(size, 0)
    expect(read(header, [100])).toEqual(['WEIR_FRAME_MALFORMED'])
    expect(read(header, [5])).toEqual(['WEIR_FRAME_MALFORMED'])
  },
)

test('an unknown kind or flag is refused', () => {
  const header = Buffer.alloc(HEADER_BYTES)
  putHeader(header, { kind: 'alive', flags: 4, channel: 0, amount: 0 })
  expect(read(header, [100])).toEqual(['WEIR_FRAME_MALFORMED'])
  putHeader(header, { kind: 'alive', flags: 0, channel: 0, amount: 0 })
  header[4] = 99
  expect(read(header, [100])).toEqual(['WEIR_FRAME_MALFORMED'])
})

test('FR3: nothing is read after an error', () => {
  const reader = new FrameReader(() => {})
  expect(() => reader.push(Buffer.alloc(HEADER_BYTES))).toThrow('malformed frame: 0 bytes')
  expect(() => reader.push(Buffer.alloc(1))).toThrow('FR3')
})
