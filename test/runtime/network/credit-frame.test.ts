import { expect, test } from '@jest/globals'
import { FRAME_BYTES_MIN } from '../../../src/runtime/network/buffer-debloater.ts'
import { decodeCredit, encodeCredit } from '../../../src/runtime/network/credit-frame.ts'
import { FRAME_BYTES_MAX } from '../../../src/runtime/network/network-settings.ts'
import { frameBytes, framesIn } from './frames-fixture.ts'

test.each([
  { channel: 7, credits: 3, frameBytes: undefined },
  { channel: 0, credits: 0, frameBytes: FRAME_BYTES_MIN },
  { channel: 65_535, credits: 10, frameBytes: FRAME_BYTES_MAX },
])('%j comes back', grant => {
  expect(framesIn(encodeCredit(grant)).map(decodeCredit)).toEqual([grant])
})

test.each([
  ['another kind', frameBytes({ kind: 'data' })],
  ['a size of another length', frameBytes({ kind: 'credit' }, Buffer.alloc(3))],
  ['a size too small', encodeCredit({ channel: 0, credits: 1, frameBytes: FRAME_BYTES_MIN - 1 })],
  ['a size too large', encodeCredit({ channel: 0, credits: 1, frameBytes: FRAME_BYTES_MAX + 1 })],
])('%s is refused', (_name, bytes) => {
  expect(() => framesIn(bytes).map(decodeCredit)).toThrow('malformed frame')
})
