import { expect, test } from '@jest/globals'
import {
  StickyPartitions,
  type StickyPartitionsOptions,
} from '../../../src/connectors/kafka/sticky-partitions.ts'

const BATCH = 100

const make = (options: Partial<StickyPartitionsOptions> = {}): StickyPartitions =>
  new StickyPartitions({
    count: 10,
    first: 0,
    batchBytes: BATCH,
    isTransactional: true,
    ...options,
  })

/** Closes so many batches; where each was. */
const batches = (sticky: StickyPartitions, count: number, bytes = BATCH): readonly number[] =>
  Array.from({ length: count }, () => {
    const { current } = sticky
    sticky.closed(current, bytes)
    return current
  })

test('without transactions each batch goes to the next partition', () => {
  const sticky = make({ count: 3, first: 1, isTransactional: false })
  expect(batches(sticky, 7)).toEqual([1, 2, 0, 1, 2, 0, 1])
})

test('a transaction goes around among four, and takes a fifth when each has had its part', () => {
  const sticky = make()
  expect(batches(sticky, 21)).toEqual([
    0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 4,
  ])
})

test('small batches do not widen it', () => {
  const sticky = make()
  expect(new Set(batches(sticky, 400, BATCH / 100))).toEqual(new Set([0, 1, 2, 3]))
})

test('a large one has all partitions, and goes on in their order', () => {
  const sticky = make()
  batches(sticky, 1_000)
  const around = batches(sticky, 10)
  expect(new Set(around).size).toBe(10)
  expect(batches(sticky, 10)).toEqual(around)
})

test('the next transaction begins behind, so that all have the same in the end', () => {
  const sticky = make()
  const seen = new Map<number, number>()
  for (let i = 0; i < 50; i++) {
    for (const partition of batches(sticky, 8)) {
      seen.set(partition, (seen.get(partition) ?? 0) + 1)
    }
    sticky.endTransaction()
  }
  expect(seen.size).toBe(10)
  expect(new Set(seen.values())).toEqual(new Set([40]))
})

test('a batch of a partition that a key has chosen changes nothing', () => {
  const sticky = make()
  sticky.closed(7, BATCH)
  expect(sticky.current).toBe(0)
})

test('as many are expected as the transaction before had, from where it begins', () => {
  const sticky = make({ first: 8 })
  expect(sticky.expected).toEqual([8])
  batches(sticky, 6)
  sticky.endTransaction()
  expect(sticky.expected).toEqual([2, 3, 4, 5])
})

test('one that grows beyond the one before expects a few more than it has', () => {
  const sticky = make()
  batches(sticky, 20)
  expect(sticky.current).toBe(4)
  expect(sticky.expected).toEqual([0, 1, 2, 3, 4, 5, 6])
})

test('a topic of one partition has one', () => {
  const sticky = make({ count: 1 })
  expect(batches(sticky, 30)).toEqual(new Array(30).fill(0))
  expect(sticky.expected).toEqual([0])
  sticky.endTransaction()
  expect(sticky.expected).toEqual([0])
})
