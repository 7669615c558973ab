import { expect, test } from '@jest/globals'
import { watermarks } from 'weir'
import { resolveWatermarks } from '../../src/api/watermarks.ts'
import { MIN_TIMESTAMP } from '../../src/common/timestamps.ts'

test('bounded out-of-orderness lags behind the greatest timestamp by the bound and 1 ms', () => {
  const strategy = watermarks.boundedOutOfOrderness('5s')
  const generator = strategy.makeGenerator?.()
  expect(generator?.onPeriodicEmit()).toBe(MIN_TIMESTAMP)
  for (const timestamp of [10_000, 7_000, 12_000, 9_000]) {
    expect(generator?.onEvent(undefined, timestamp)).toBeUndefined()
  }
  expect(generator?.onPeriodicEmit()).toBe(6_999)
  expect(strategy).toMatchObject({ outOfOrdernessMs: 5000, name: 'bounded out-of-orderness 5s' })
})

test('monotonous is a bound of nothing', () => {
  expect(watermarks.monotonous()).toMatchObject({ outOfOrdernessMs: 0, name: 'monotonous' })
})

test('each generator is its own', () => {
  const { makeGenerator } = watermarks.monotonous()
  makeGenerator?.().onEvent(undefined, 5)
  expect(makeGenerator?.().onPeriodicEmit()).toBe(MIN_TIMESTAMP)
})

test('none makes no watermarks and knows no idleness', () => {
  const { makeGenerator, idlenessMs } = watermarks.none()
  expect({ makeGenerator, idlenessMs }).toEqual({ makeGenerator: undefined, idlenessMs: 0 })
})

test('idleness is on unless it is turned off', () => {
  expect(watermarks.monotonous().idlenessMs).toBe(60_000)
  expect(watermarks.monotonous().idleness(0).idlenessMs).toBe(0)
})

test('setters keep what was set before and leave the strategy they are called on', () => {
  const base = watermarks.boundedOutOfOrderness('1s').idleness('5s')
  const whole = base.aligned('group', '1m').timestamp((n: number) => n * 2)
  expect(base.alignment).toBeUndefined()
  expect(whole).toMatchObject({
    idlenessMs: 5000,
    outOfOrdernessMs: 1000,
    alignment: { group: 'group', maxDriftMs: 60_000 },
  })
  expect(whole.timestampAssigner?.(21, 0)).toBe(42)
})

test('a generator of one’s own', () => {
  const generator = { onEvent: () => 7, onPeriodicEmit: () => undefined }
  const strategy = watermarks.custom(() => generator)
  expect(strategy.makeGenerator?.()).toBe(generator)
  expect(strategy.outOfOrdernessMs).toBeUndefined()
})

test('a choice is a strategy or makes one', () => {
  const strategy = watermarks.monotonous()
  expect(resolveWatermarks(strategy)).toBe(strategy)
  expect(resolveWatermarks(w => w.boundedOutOfOrderness(3))).toMatchObject({ outOfOrdernessMs: 3 })
})
