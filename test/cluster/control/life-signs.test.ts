import { expect, test } from '@jest/globals'
import { LifeSigns } from '../../../src/cluster/control/life-signs.ts'

const times = { intervalMs: 500, timeoutMs: 2_000 }

test('a thread that comes to its timers in time is not kept', () => {
  const signs = new LifeSigns()
  expect(signs.blockedMs(9_000, times)).toBe(0)
  signs.recordsAwake(1_000)
  expect(signs.blockedMs(1_999, times)).toBe(0)
  expect(signs.blockedMs(2_000, times)).toBe(1_000)
  signs.recordsAwake(2_100)
  expect(signs.blockedMs(2_200, times)).toBe(0)
})

test('both threads see the same', () => {
  const here = new LifeSigns()
  const other = new LifeSigns(here.shared)
  here.recordsAwake(1_000)
  other.controlAwake(4_000)
  expect(other.blockedMs(4_000, times)).toBe(3_000)
  expect(here.stoodStill(5_999, times)).toBe(false)
  expect(here.stoodStill(6_000, times)).toBe(true)
})
