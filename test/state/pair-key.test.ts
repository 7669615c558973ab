import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { foldKey, hashKey } from '../../src/state/key.ts'
import { foldPair, hashPair, isIntPair, unfoldPair } from '../../src/state/pair-key.ts'

const int = fc.oneof(
  fc.integer(),
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.constantFrom(0, -2_147_483_648, 2_147_483_647),
)

test('a pair has the hash and the fold of the tuple that it is', () => {
  fc.assert(
    fc.property(int, int, (first, second) => {
      const folded = foldKey([first, second]) as string
      expect(foldPair({ first, second })).toBe(folded)
      expect(hashPair(first, second)).toBe(hashKey(folded))
      expect(unfoldPair(folded)).toEqual({ first, second })
      expect(isIntPair([first, second])).toBe(true)
    }),
  )
})

test('-0 is 0', () => {
  expect(hashPair(-0, 0)).toBe(hashKey(foldKey([0, 0])))
  expect(isIntPair([-0, 1])).toBe(true)
})

const others = [[1], [1, 2, 3], [1, 0.5], [1, '2'], ['1', 2], [2 ** 31, 1], [1, 2n], [true, 1]]
test.each(others.map(key => [key]))('%p is no pair of 32-bit integers', key => {
  expect(isIntPair(key)).toBe(false)
  expect(unfoldPair(foldKey(key) as string)).toBeUndefined()
})

test.each(['', 'text', '\u0000tn1;n2;', '\u0000'])('nor is the text %p', text => {
  expect(unfoldPair(foldKey(text) as string)).toBeUndefined()
})
