import { expect, test } from '@jest/globals'
import { remainingMs } from '../../src/controller/remaining-ms.ts'

test.each([
  ['just begun', 1_000, 10],
  ['half over', 995, 5],
  ['over', 900, 0],
  ['begun by a clock that is an hour ahead', 3_601_000, 10],
])('a wait of 10 ms that has %s', (_what, sinceMs, left) => {
  expect(remainingMs(sinceMs, 10, 1_000)).toBe(left)
})
