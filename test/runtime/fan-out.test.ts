import { expect, test } from '@jest/globals'
import { fanOut } from '../../src/runtime/fan-out.ts'

test('no target takes everything and does nothing', () => {
  expect(() => fanOut([])(1, 2)).not.toThrow()
})

test('a single target is given as it is', () => {
  const target = (): void => {}
  expect(fanOut([target])).toBe(target)
})

test('each target gets each record, in order', () => {
  const seen: unknown[] = []
  const push = fanOut(
    [0, 1, 2].map(i => (value, timestamp) => void seen.push([i, value, timestamp])),
  )
  push('a', 7)
  expect(seen).toEqual([
    [0, 'a', 7],
    [1, 'a', 7],
    [2, 'a', 7],
  ])
})
