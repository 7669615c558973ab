import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { WeirError } from '../../../src/common/errors.ts'
import {
  helloText,
  parseHello,
  parseVerdict,
} from '../../../src/runtime/network/handshake-messages.ts'
import { networkErrors } from '../../../src/runtime/network/network-errors.ts'

const hello = {
  role: 'sender',
  jobId: 'job-1',
  version: '1.2.3',
  facts: { slot: 1, name: 'a' },
  nonce: 'a nonce of at least 32 characters',
}

test('a hello comes back', () => {
  expect(parseHello(helloText(hello), 'slot 1')).toEqual(hello)
})

test('a verdict admits or says why not', () => {
  const refusal = { over: 'job', own: 'a', theirs: 'b' }
  expect(parseVerdict(Buffer.from('{"refused":null}'), 'slot 1')).toBe(undefined)
  const refused = Buffer.from(JSON.stringify({ refused: refusal }))
  expect(parseVerdict(refused, 'slot 1')).toEqual(refusal)
})

test('what is neither is refused, whatever it is', () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .tuple(fc.constantFrom(...Object.keys(hello)), fc.jsonValue())
      .map(([field, value]) => JSON.stringify({ weir: 1, ...hello, [field]: value })),
  )
  fc.assert(
    fc.property(text, said => {
      for (const parse of [parseHello, parseVerdict]) {
        try {
          parse(Buffer.from(said), 'slot 1')
        } catch (error) {
          if (!(error instanceof WeirError)) throw error
          expect(error.code).toBe('WEIR_HANDSHAKE_MALFORMED')
        }
      }
    }),
  )
})

test('errors name the peer and both sides, and say what to do', () => {
  const error = networkErrors.WEIR_PEER_OF_OTHER_VERSION({ peer: 'slot 2', own: '1', theirs: '2' })
  expect(String(error)).toBe(
    'WEIR_PEER_OF_OTHER_VERSION  slot 2 runs Weir 2, this is Weir 1\n' +
      '  next: run one version in all processes of a job',
  )
})
