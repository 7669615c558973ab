import { describe, expect, test } from '@jest/globals'
import { type Trigger, triggers } from 'weir'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../../src/common/timestamps.ts'
import { TriggerBench } from './trigger-bench.ts'

const forever = { start: MIN_TIMESTAMP, end: MAX_TIMESTAMP }

function bench(trigger: Trigger<never>, window = { start: 0, end: 100 }): TriggerBench {
  return new TriggerBench(trigger as Trigger<unknown>, window)
}

/** After `clear` no timer and no state of the trigger may be left. */
function expectCleared(window: TriggerBench): void {
  window.clear()
  expect([...window.eventTimers, ...window.processingTimers, ...window.storedNames]).toEqual([])
}

describe('eventTime', () => {
  test('fires at the last timestamp, then at once for late records', () => {
    const window = bench(triggers.eventTime())
    expect(window.element(5)).toBe('continue')
    expect(window.advance(98)).toEqual([])
    expect(window.advance(99)).toEqual(['99 fire'])
    expect(window.element(7)).toBe('fire')
  })

  test('a merged window gets a timer only if it has not ended', () => {
    const window = bench(triggers.eventTime())
    window.merge({ start: 0, end: 200 }, [])
    expect([...window.eventTimers]).toEqual([199])
    window.watermark = 299
    window.merge({ start: 0, end: 300 }, [])
    expect([...window.eventTimers]).toEqual([199])
  })

  test('clears its timer', () => {
    const window = bench(triggers.eventTime())
    window.element(5)
    expectCleared(window)
  })
})

test('processingTime fires at the end by the clock', () => {
  const window = bench(triggers.processingTime())
  expect(window.element(5)).toBe('continue')
  expect(window.tick(98)).toEqual([])
  expect(window.tick(120)).toEqual(['99 fire'])
  window.element(5)
  expectCleared(window)
})

describe('count', () => {
  test('fires at every n-th record', () => {
    const window = bench(triggers.count(2))
    expect([1, 2, 3, 4, 5].map(n => window.element(n))).toEqual([
      'continue',
      'fire',
      'continue',
      'fire',
      'continue',
    ])
    expectCleared(window)
  })

  test('merging adds up and does not fire; the next record does', () => {
    const [a, b] = [bench(triggers.count(3)), bench(triggers.count(3))]
    for (const window of [a, a, b, b]) window.element(1)
    a.merge({ start: 0, end: 200 }, [b])
    expect(a.element(2)).toBe('fire')
  })

  test.each([0, -1, 1.5])('%d is refused', n => {
    expect(() => triggers.count(n)).toThrow('expected a whole number from 1 on')
  })
})

describe('purging', () => {
  test('empties the window with every firing of the inner trigger', () => {
    const window = bench(triggers.purging(triggers.count(2)))
    expect([window.element(1), window.element(2)]).toEqual(['continue', 'fire-and-purge'])
    expectCleared(window)
  })

  test('also at timers, and merges as the inner one does', () => {
    const window = bench(triggers.purging(triggers.eventTime()))
    window.merge({ start: 0, end: 50 }, [])
    expect(window.advance(60)).toEqual(['49 fire-and-purge'])
    expect(triggers.purging(triggers.delta(1, () => 0)).canMerge).toBe(false)
  })
})

describe('continuousEventTime', () => {
  test('fires at multiples of the interval, and at the end', () => {
    const window = bench(triggers.continuousEventTime(30))
    window.element(5)
    window.element(40)
    expect(window.advance(95)).toEqual(['30 fire', '60 fire', '90 fire'])
    expect(window.advance(MAX_TIMESTAMP)).toEqual(['99 fire'])
  })

  test('truncates towards zero, as Flink does', () => {
    const window = bench(triggers.continuousEventTime(5), { start: -100, end: 100 })
    window.element(-7)
    expect([...window.eventTimers].toSorted((a, b) => a - b)).toEqual([0, 99])
  })

  test('merging keeps the earliest pending firing', () => {
    const [a, b] = [
      bench(triggers.continuousEventTime(30)),
      bench(triggers.continuousEventTime(30)),
    ]
    a.element(70)
    b.element(5)
    a.eventTimers.clear()
    a.merge({ start: 0, end: 200 }, [b])
    expect([...a.eventTimers]).toEqual([30])
  })

  test('a window without end does not fire for ever at the end of time', () => {
    const window = bench(triggers.continuousEventTime(30), forever)
    window.element(5)
    expect(window.advance(70)).toEqual(['30 fire', '60 fire'])
    expect(window.advance(MAX_TIMESTAMP)).toEqual(['90 fire', 'Infinity fire'])
  })

  test('a record without timestamp sets no interval', () => {
    const window = bench(triggers.continuousEventTime(30), forever)
    window.element(MIN_TIMESTAMP)
    expect([...window.eventTimers]).toEqual([MAX_TIMESTAMP])
  })

  test('a late record fires at once', () => {
    const window = bench(triggers.continuousEventTime(30))
    window.watermark = 99
    expect(window.element(5)).toBe('fire')
  })
})

describe('continuousProcessingTime', () => {
  test('fires by the clock while the window lives, the last time at its end', () => {
    const window = bench(triggers.continuousProcessingTime(30))
    window.processingTime = 10
    window.element(5)
    expect(window.tick(70)).toEqual(['30 fire', '60 fire'])
    expect(window.tick(200)).toEqual(['90 fire', '99 fire'])
    window.element(6)
    expect([...window.processingTimers]).toEqual([])
    expectCleared(window)
  })

  test('merging keeps the earliest pending firing', () => {
    const make = () => bench(triggers.continuousProcessingTime(30))
    const [a, b] = [make(), make()]
    b.element(1)
    a.merge({ start: 0, end: 200 }, [b])
    expect([...a.processingTimers]).toEqual([30])
  })
})

test('delta fires when a record is far enough from the one that fired last', () => {
  const window = bench(triggers.delta(10, (a: number, b: number) => b - a))
  const values = [100, 109, 110, 111, 121, 122]
  expect(values.map(value => window.element(0, value))).toEqual([
    'continue',
    'continue',
    'continue',
    'fire',
    'continue',
    'fire',
  ])
  expectCleared(window)
})

test('endOfStream fires once, when all time has passed, and purges', () => {
  const window = bench(triggers.endOfStream(), forever)
  window.element(5)
  expect(window.advance(1e15)).toEqual([])
  expect(window.advance(MAX_TIMESTAMP)).toEqual(['Infinity fire-and-purge'])
  window.element(5)
  expectCleared(window)
})

test('never never fires', () => {
  const window = bench(triggers.never())
  expect(window.element(5)).toBe('continue')
  expect([...window.advance(MAX_TIMESTAMP), ...window.tick(1e15)]).toEqual([])
})

describe('processingTimeout', () => {
  const inner = triggers.count(3) as Trigger<unknown>

  test('fires when nothing fired in time, and lets the inner trigger begin anew', () => {
    const window = bench(triggers.processingTimeout(inner, 20))
    window.element(1)
    window.processingTime = 10
    window.element(2)
    expect(window.tick(25)).toEqual(['20 fire'])
    expect([3, 4, 5].map(n => window.element(n))).toEqual(['continue', 'continue', 'fire'])
  })

  test('a firing of the inner trigger ends the wait', () => {
    const window = bench(triggers.processingTimeout(inner, 20))
    expect([1, 2, 3].map(n => window.element(n))).toEqual(['continue', 'continue', 'fire'])
    expectCleared(window)
  })

  test('resetOnElement counts from the last record', () => {
    const window = bench(triggers.processingTimeout(inner, 20, { resetOnElement: true }))
    window.element(1)
    window.processingTime = 10
    window.element(2)
    expect(window.tick(25)).toEqual([])
    expect(window.tick(30)).toEqual(['30 fire'])
  })

  test('without clearOnTimeout the inner trigger counts on', () => {
    const window = bench(triggers.processingTimeout(inner, 20, { clearOnTimeout: false }))
    window.element(1)
    window.element(2)
    expect(window.tick(20)).toEqual(['20 fire'])
    expect(window.element(3)).toBe('fire')
  })

  test('fires on every timer of the window', () => {
    const window = bench(triggers.processingTimeout(triggers.eventTime(), 20))
    window.element(1)
    expect(window.advance(99)).toEqual(['99 fire'])
    expectCleared(window)
  })

  test('one within another keeps its own time', () => {
    const window = bench(triggers.processingTimeout(triggers.processingTimeout(inner, 50), 20))
    window.element(1)
    expect([...window.processingTimers].toSorted((a, b) => a - b)).toEqual([20, 50])
    expectCleared(window)
  })
})
