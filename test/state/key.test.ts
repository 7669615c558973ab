import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { foldKey, hashKey, unfoldKey } from '../../src/state/key.ts'

const primitive = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }).map(value => (value === 0 ? 0 : value)),
  fc.string({ unit: 'binary' }),
  fc.bigInt(),
  fc.boolean(),
)
const key = fc.oneof(
  primitive,
  fc.array(primitive),
  fc.constantFrom('\u0000', '\u0000t', '\u0000s1:a'),
)

test('what was folded unfolds to the same key', () => {
  fc.assert(fc.property(key, one => expect(unfoldKey(foldKey(one))).toEqual(one)))
})

test('different keys fold differently, equal ones alike', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const isSame = JSON.stringify(a, named) === JSON.stringify(b, named)
      expect(foldKey(a) === foldKey(b)).toBe(isSame)
    }),
  )
})

function named(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { bigint: `${value}` } : exact(value)
}

function exact(value: unknown): unknown {
  return typeof value === 'number' ? { number: String(value) } : value
}

const hashes: [Parameters<typeof hashKey>[0], number][] = [
  [5, 5],
  [-2_147_483_648, -2_147_483_648],
  ['', 0],
  ['a', 97],
  ['hello', 99162322],
  [true, 1231],
  [false, 1237],
  [1n, 1],
  [-1n, 0],
  [0.5, 1071644672],
]
test.each(hashes)('the hash of %p is the one of its box in Java: %d', (value, hash) => {
  expect(hashKey(value)).toBe(hash)
})

test('a hash is a 32-bit integer', () => {
  fc.assert(fc.property(primitive, one => expect(hashKey(one)).toBe(hashKey(one) | 0)))
})
