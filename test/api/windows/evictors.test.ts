import { expect, test } from '@jest/globals'
import { type Evictor, evictors, type TimestampedValue } from 'weir'
import { MIN_TIMESTAMP } from '../../../src/common/timestamps.ts'

const window = { start: 0, end: 100 }
const gap = (value: number, last: number): number => last - value

interface EvictCase {
  readonly evictor: Evictor<number>
  /** [value, timestamp] each. */
  readonly elements: readonly (readonly [number, number])[]
  readonly values: readonly number[]
}

const cases: Record<string, EvictCase> = {
  'count keeps the newest by arrival': {
    evictor: evictors.count(2),
    elements: [
      [1, 30],
      [2, 20],
      [3, 10],
    ],
    values: [2, 3],
  },
  'count keeps all that are few enough': {
    evictor: evictors.count(3),
    elements: [
      [1, 30],
      [2, 20],
    ],
    values: [1, 2],
  },
  'time keeps those above the greatest timestamp minus the span': {
    evictor: evictors.time(10),
    elements: [
      [1, 30],
      [2, 20],
      [3, 21],
      [4, 25],
    ],
    values: [1, 3, 4],
  },
  'time evicts nothing when the first record has no timestamp': {
    evictor: evictors.time(10),
    elements: [
      [1, MIN_TIMESTAMP],
      [2, 1],
      [3, 90],
    ],
    values: [1, 2, 3],
  },
  'time evicts later records without timestamp': {
    evictor: evictors.time(10),
    elements: [
      [1, 5],
      [2, MIN_TIMESTAMP],
    ],
    values: [1],
  },
  'delta drops those as far from the last one as the threshold': {
    evictor: evictors.delta(5, gap),
    elements: [
      [1, 0],
      [5, 0],
      [6, 0],
      [10, 0],
    ],
    values: [6, 10],
  },
  'delta keeps an empty window empty': {
    evictor: evictors.delta(5, gap),
    elements: [],
    values: [],
  },
}

test.each(Object.entries(cases))('%s', (_sentence, { evictor, elements, values }) => {
  const given = elements.map(
    ([value, timestamp]): TimestampedValue<number> => ({ value, timestamp }),
  )
  expect(evictor.evictAfter).toBeUndefined()
  expect(evictor.evictBefore?.(given, window).map(kept => kept.value)).toEqual(values)
})

test('an evictor acts after the function when asked', () => {
  const { evictBefore, evictAfter } = evictors.count(1, { after: true })
  expect([evictBefore, typeof evictAfter]).toEqual([undefined, 'function'])
})
