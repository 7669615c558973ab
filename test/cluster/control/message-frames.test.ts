import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  encodeMessage,
  MESSAGE_BYTES_MAX,
  MessageDecoder,
} from '../../../src/cluster/control/message-frames.ts'

function decode(chunks: readonly Buffer[]): unknown[] {
  const decoder = new MessageDecoder()
  return chunks.flatMap(chunk => [...decoder.push(chunk)])
}

test('messages come out whole and in order, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { maxLength: 5 }),
      fc.array(fc.nat(40), { maxLength: 30 }),
      (messages, cuts) => {
        let rest = Buffer.concat(messages.map(encodeMessage))
        const chunks: Buffer[] = []
        for (const cut of cuts) {
          chunks.push(rest.subarray(0, cut))
          rest = rest.subarray(cut)
        }
        chunks.push(rest)
        // -0 is 0 in JSON.
        expect(decode(chunks)).toEqual(JSON.parse(JSON.stringify(messages)))
      },
    ),
  )
})

test('a message that is too long is refused by its length, before it is held', () => {
  const header = Buffer.alloc(4)
  header.writeUInt32BE(MESSAGE_BYTES_MAX + 1)
  expect(() => decode([header])).toThrow(/announces a message of 67108865 bytes/)
  expect(() => encodeMessage('x'.repeat(MESSAGE_BYTES_MAX))).toThrow(/bytes, at most/)
})

test('what is no JSON is refused with a code', () => {
  const frame = encodeMessage('x')
  frame[4] = 0x7b
  expect(() => decode([frame])).toThrow(
    expect.objectContaining({ code: 'WEIR_CONTROL_MALFORMED' }) as unknown as Error,
  )
})

test('any bytes end in messages or in one coded error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), chunks => {
      try {
        decode(chunks.map(chunk => Buffer.from(chunk)))
      } catch (error) {
        expect(error).toMatchObject({ code: 'WEIR_CONTROL_MALFORMED' })
      }
    }),
  )
})
