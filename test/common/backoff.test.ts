import { expect, test } from '@jest/globals'
import { Backoff, type BackoffOptions, restartBackoff } from '../../src/common/backoff.ts'
import { SeededRandom } from '../../src/common/random.ts'

function backoff(options: Partial<BackoffOptions> = {}): Backoff {
  return new Backoff({ ...restartBackoff, jitter: 0, ...options }, new SeededRandom(1))
}

test('delays grow by the factor up to the largest', () => {
  const waits = backoff({ initialDelayMs: 100, maxDelayMs: 500, factor: 2 })
  expect([1, 2, 3, 4, 5].map(now => waits.failed(now))).toEqual([100, 200, 400, 500, 500])
})

test('gives up after the last attempt', () => {
  const waits = backoff({ attemptsMax: 2 })
  expect(waits.failed(1)).toBe(1_000)
  expect(waits.failed(2)).toBe(1_500)
  expect(waits.failed(3)).toBeUndefined()
})

test('a long time without a failure starts anew, a shorter one does not', () => {
  const waits = backoff({ resetAfterMs: 1_000, attemptsMax: 3 })
  waits.failed(0)
  expect(waits.failed(999)).toBe(1_500)
  expect(waits.failed(1_999)).toBe(1_000)
  expect(waits.attempts).toBe(1)
})

test('a clock that goes backwards is no stable time', () => {
  const waits = backoff({ resetAfterMs: 1_000 })
  waits.failed(10_000)
  expect(waits.failed(0)).toBe(1_500)
})

test('success starts anew', () => {
  const waits = backoff()
  waits.failed(0)
  waits.succeeded()
  expect(waits.failed(1)).toBe(1_000)
})

test('jitter stays within its share and varies', () => {
  const waits = backoff({ jitter: 0.1, factor: 1, initialDelayMs: 1_000, maxDelayMs: 1_000 })
  const delays = Array.from({ length: 50 }, (_, now) => waits.failed(now) ?? 0)
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(900)
  expect(Math.max(...delays)).toBeLessThanOrEqual(1_100)
  expect(new Set(delays).size).toBeGreaterThan(10)
})
