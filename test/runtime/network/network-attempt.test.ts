import { expect, test } from '@jest/globals'
import { attemptText, isLater } from '../../../src/runtime/network/network-attempt.ts'

test('attempts of a generation follow their numbers, and a newer generation is always later', () => {
  const at = (generation: number, attempt: number) => ({ generation, region: 0, attempt })
  expect(isLater(at(3, 2), at(3, 1))).toBe(true)
  expect(isLater(at(3, 1), at(3, 1))).toBe(false)
  // A jobmanager that takes over counts its attempts from 0.
  expect(isLater(at(4, 0), at(3, 9))).toBe(true)
  expect(isLater(at(3, 9), at(4, 0))).toBe(false)
  expect(attemptText(at(3, 9))).toBe('3.9')
})
