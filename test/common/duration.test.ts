import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type Duration,
  durationMs,
  formatDuration,
  parseDuration,
} from '../../src/common/duration.ts'

test.each([
  ['0ms', 0],
  ['500ms', 500],
  ['1.5s', 1_500],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['0.0004s', 0],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', '5', 's', '5 s', '-5s', '5S', '5sec', '1e3s', '.5s', '5s ', `${'9'.repeat(20)}d`])(
  '%j is no duration',
  text => {
    expect(parseDuration(text)).toBeUndefined()
  },
)

test('a number is milliseconds already', () => {
  expect(durationMs(1_234)).toBe(1_234)
  expect(durationMs('5s')).toBe(5_000)
})

test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 'soon'])('%p is refused', value => {
  expect(() => durationMs(value as Duration)).toThrow(/not a duration/)
})

test.each([
  [0, '0ms'],
  [0.123, '0.12ms'],
  [999, '999ms'],
  [1_000, '1s'],
  [2_560, '2.5s'],
  [60_000, '1m'],
  [61_999, '1m1s'],
  [5_400_000, '1h30m'],
  [90_000_000, '1d1h'],
  [-1_000, '-1s'],
  [Number.POSITIVE_INFINITY, 'forever'],
])('%d ms is shown as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

test('what is shown reads back to within its last unit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 10 }), ms => {
      const back = parseDuration(formatDuration(ms)) ?? Number.NaN
      expect(back).toBeLessThanOrEqual(ms)
      expect(ms - back).toBeLessThanOrEqual(ms < 3_600_000 ? Math.max(100, ms * 0.02) : ms * 0.05)
    }),
  )
})
