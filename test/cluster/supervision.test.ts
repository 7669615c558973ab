import { expect, test } from '@jest/globals'
import { decodeLife, encodeLife } from '../../src/cluster/supervision.ts'

test('a sign of life is one byte: whole seconds, the newest, and no more than fit', () => {
  const signs = [0, 999, 3_400, 1e9].map(encodeLife)
  expect(signs.map(bytes => bytes.length)).toEqual([1, 1, 1, 1])
  expect(signs.map(decodeLife)).toEqual([0, 0, 3_000, 255_000])
  expect(decodeLife(Buffer.concat(signs.slice(0, 3)))).toBe(3_000)
})
