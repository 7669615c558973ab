import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ENDED_SPLITS, foldCounts } from '../../src/checkpoint/fold-counts.ts'

const countsOf = (...names: string[]) => new Map(names.map((name, index) => [name, index + 1]))

test('the oldest that ended are counted together', () => {
  const counts = countsOf('a', 'b', 'c', 'd')
  foldCounts(counts, { named: 2, isOpen: () => false })
  expect(Object.fromEntries(counts)).toEqual({ c: 3, d: 4, [ENDED_SPLITS]: 3 })
  counts.set('e', 5)
  foldCounts(counts, { named: 2, isOpen: () => false })
  expect(Object.fromEntries(counts)).toEqual({ d: 4, e: 5, [ENDED_SPLITS]: 6 })
})

test('those that are open keep their names, however many they are', () => {
  const counts = countsOf('a', 'b', 'c', 'd')
  foldCounts(counts, { named: 1, isOpen: name => name !== 'b' && name !== 'c' })
  expect(Object.fromEntries(counts)).toEqual({ a: 1, c: 3, d: 4, [ENDED_SPLITS]: 2 })
})

test('no record is lost from the sum', () => {
  const sum = (counts: Map<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0)
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.string(), fc.nat(1_000)), { selector: ([name]) => name }),
      fc.nat(5),
      fc.func(fc.boolean()),
      (entries, named, isOpen) => {
        const counts = new Map(entries)
        const before = sum(counts)
        foldCounts(counts, { named, isOpen })
        const ended = [...counts.keys()].filter(name => name !== ENDED_SPLITS && !isOpen(name))
        expect(ended.length).toBeLessThanOrEqual(named)
        expect(sum(counts)).toBe(before)
      },
    ),
  )
})
