import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  cumulate,
  type Duration,
  global,
  session,
  sliding,
  tumbling,
  WeirError,
  type WindowAssigner,
} from 'weir'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../../src/common/timestamps.ts'

interface AssignCase {
  readonly assigner: WindowAssigner<never>
  readonly timestamp: number
  readonly value?: unknown
  /** [start, end] each. */
  readonly windows: readonly (readonly [number, number])[]
}

const cases: Record<string, AssignCase> = {
  'tumbling: from the grid on': { assigner: tumbling(10), timestamp: 20, windows: [[20, 30]] },
  'tumbling: to just before the end': {
    assigner: tumbling(10),
    timestamp: 29,
    windows: [[20, 30]],
  },
  'tumbling: before the epoch': { assigner: tumbling(10), timestamp: -1, windows: [[-10, 0]] },
  'tumbling: with an offset': {
    assigner: tumbling('1d', { offset: '-8h' }),
    timestamp: 0,
    windows: [[-28_800_000, 57_600_000]],
  },
  'sliding: the latest window first': {
    assigner: sliding(10, 4),
    timestamp: 9,
    windows: [
      [8, 18],
      [4, 14],
      [0, 10],
    ],
  },
  'sliding: before the epoch': {
    assigner: sliding(6, 3, { offset: 1 }),
    timestamp: -3,
    windows: [
      [-5, 1],
      [-8, -2],
    ],
  },
  'sliding: no window where the slide is above the size': {
    assigner: sliding(2, 10),
    timestamp: 5,
    windows: [],
  },
  'session: the gap from the record on': { assigner: session(7), timestamp: 5, windows: [[5, 12]] },
  'session: the gap that the record names': {
    assigner: session((gap: Duration) => gap),
    value: '3s',
    timestamp: 5,
    windows: [[5, 3005]],
  },
  'global: all of time': {
    assigner: global(),
    timestamp: 5,
    windows: [[MIN_TIMESTAMP, MAX_TIMESTAMP]],
  },
  'global: also without timestamp': {
    assigner: global(),
    timestamp: MIN_TIMESTAMP,
    windows: [[MIN_TIMESTAMP, MAX_TIMESTAMP]],
  },
  'cumulate: every step of the window that is not yet over': {
    assigner: cumulate(12, 4),
    timestamp: 17,
    windows: [
      [12, 20],
      [12, 24],
    ],
  },
}

test.each(Object.entries(cases))('%s', (_sentence, { assigner, timestamp, value, windows }) => {
  const found = assigner.assign(value as never, timestamp)
  expect(found.map(({ start, end }) => [start, end])).toEqual(windows)
})

test('every window of sliding(size, slide) holds its record, and there are size / slide of them', () => {
  const small = fc.integer({ min: 1, max: 20 })
  const timestamps = fc.integer({ min: -1e12, max: 1e12 })
  fc.assert(
    fc.property(small, small, timestamps, (slide, factor, timestamp) => {
      const windows = sliding(slide * factor, slide).assign(undefined, timestamp)
      expect(windows).toHaveLength(factor)
      expect(windows.every(w => w.start <= timestamp && timestamp < w.end)).toBe(true)
    }),
  )
})

const wrong: Record<string, readonly [() => unknown, string]> = {
  'a size of nothing': [() => tumbling(0), 'WEIR_OPTION_INVALID'],
  'a negative slide': [() => sliding('1m', -5), 'WEIR_DURATION_INVALID'],
  'a size that is no duration': [() => tumbling('soon' as Duration), 'WEIR_DURATION_INVALID'],
  'a gap of nothing': [() => session(0), 'WEIR_OPTION_INVALID'],
  'a gap of nothing that a record names': [
    () => session(() => 0).assign(undefined, 1),
    'WEIR_OPTION_INVALID',
  ],
  'steps that do not fill the window': [() => cumulate(10, 3), 'WEIR_OPTION_INVALID'],
  'a record without timestamp in tumbling windows': [
    () => tumbling(5).assign(undefined, MIN_TIMESTAMP),
    'WEIR_TIMESTAMP_MISSING',
  ],
  'a record without timestamp in sliding windows': [
    () => sliding(5, 1).assign(undefined, MIN_TIMESTAMP),
    'WEIR_TIMESTAMP_MISSING',
  ],
}

describe('refuses', () => {
  test.each(Object.entries(wrong))('%s', (_sentence, [make, code]) => {
    expect(make).toThrow(expect.objectContaining({ name: 'WeirError', code }))
    expect(make).toThrow(WeirError)
  })
})

test('the default trigger goes by the assigner’s time', () => {
  expect(tumbling(5).defaultTrigger().name).toBe('eventTime()')
  expect(session(5, { time: 'processing' }).defaultTrigger().name).toBe('processingTime()')
  expect(global().defaultTrigger().name).toBe('never()')
})
