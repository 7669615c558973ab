import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  defaultMaxParallelism,
  keyGroupOf,
  keyGroupRange,
  MAX_PARALLELISM_LIMIT,
  murmurHash,
  subtaskOfKeyGroup,
} from '../../src/state/key-groups.ts'

const place = fc
  .integer({ min: 1, max: 300 })
  .chain(max => fc.tuple(fc.constant(max), fc.integer({ min: 1, max })))

describe('key groups', () => {
  test('G2: the ranges of all subtasks cover every group once, and name its owner', () => {
    fc.assert(
      fc.property(place, ([max, parallelism]) => {
        let next = 0
        for (let subtask = 0; subtask < parallelism; subtask++) {
          const { start, end } = keyGroupRange(subtask, max, parallelism)
          expect(start).toBe(next)
          for (const group of [start, end]) {
            expect(subtaskOfKeyGroup(group, max, parallelism)).toBe(subtask)
          }
          next = end + 1
        }
        expect(next).toBe(max)
      }),
    )
  })

  test('G1: a key’s group is within the groups, whatever its hash', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: MAX_PARALLELISM_LIMIT }), (hash, max) => {
        const group = keyGroupOf(hash, max)
        expect(group >= 0 && group < max).toBe(true)
      }),
    )
  })

  test('hashes as Flink does', () => {
    expect([0, 1, -1, 100].map(murmurHash)).toEqual([593689054, 68075478, 1982413648, 616682048])
  })

  test('more subtasks than groups are refused', () => {
    expect(() => keyGroupRange(0, 4, 5)).toThrow('G2')
    expect(() => keyGroupRange(0, 40_000, 5)).toThrow('G2')
  })

  const defaults = [
    [1, 128],
    [85, 128],
    [86, 256],
    [200, 512],
    [30_000, 32_768],
  ] as const
  test.each(defaults)('a job of parallelism %d has %d groups by default', (parallelism, groups) => {
    expect(defaultMaxParallelism(parallelism)).toBe(groups)
  })
})
