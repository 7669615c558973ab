import { expect, test } from '@jest/globals'
import { formatPeerAddress, parsePeerAddress } from '../../../src/runtime/network/peer-address.ts'

test.each([
  ['unix:/run/weir/0.sock', { kind: 'unix', path: '/run/weir/0.sock' }],
  ['tcp://10.0.0.7:6121', { kind: 'tcp', host: '10.0.0.7', port: 6121 }],
  ['tcp://taskmanager-1.jobs:0', { kind: 'tcp', host: 'taskmanager-1.jobs', port: 0 }],
  ['tcp://[::1]:6121', { kind: 'tcp', host: '::1', port: 6121 }],
] as const)('%s', (text, address) => {
  expect(parsePeerAddress(text)).toEqual(address)
  expect(formatPeerAddress(address)).toBe(text)
})

test.each(['', 'unix:', '10.0.0.7:80', 'tcp://host', 'tcp://host:x', 'tcp://::1:80'])(
  '"%s" is none',
  text => {
    expect(() => parsePeerAddress(text)).toThrow('is no address')
  },
)

test('limits are named', () => {
  expect(() => parsePeerAddress('tcp://host:65536')).toThrow('there is no port 65536')
  expect(() => parsePeerAddress(`unix:/${'x'.repeat(107)}`)).toThrow('a path of 108 bytes')
})
