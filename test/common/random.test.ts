import { describe, expect, test } from '@jest/globals'
import { type Random, SeededRandom, SystemRandom } from '../../src/common/random.ts'

describe.each([
  ['seeded', () => new SeededRandom(7)],
  ['system', () => new SystemRandom()],
])('%s randomness', (_name, make: () => Random) => {
  test('next lies in [0, 1) and fills it evenly', () => {
    const random = make()
    const buckets = new Array<number>(10).fill(0)
    for (let i = 0; i < 20_000; i++) {
      const value = random.next()
      expect(value >= 0 && value < 1).toBe(true)
      buckets[Math.floor(value * 10)] = (buckets[Math.floor(value * 10)] ?? 0) + 1
    }
    // Ten standard deviations of a fair draw: never by chance.
    for (const count of buckets) expect(Math.abs(count - 2_000)).toBeLessThan(430)
  })

  test('int stays below its bound and reaches every value', () => {
    const random = make()
    const seen = new Set(Array.from({ length: 500 }, () => random.int(5)))
    expect(seen).toEqual(new Set([0, 1, 2, 3, 4]))
    expect(random.int(1)).toBe(0)
    expect(() => random.int(0)).toThrow(/bound/)
  })

  test('uuid has the form of version 4 and does not repeat', () => {
    const random = make()
    const uuids = new Set(Array.from({ length: 100 }, () => random.uuid()))
    expect(uuids.size).toBe(100)
    for (const uuid of uuids) {
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    }
  })
})

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number): number[] => {
    const random = new SeededRandom(seed)
    return Array.from({ length: 20 }, () => random.uint32())
  }
  expect(draw(42)).toEqual(draw(42))
  expect(draw(42)).not.toEqual(draw(43))
  expect(new Set(draw(0)).size).toBe(20)
})
