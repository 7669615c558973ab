import { expect, test } from '@jest/globals'
import { PeriodicTick } from '../../src/runtime/periodic-tick.ts'
import { IdlenessTimer } from '../../src/runtime/watermark-generators.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

test('ticks come an interval apart, and late ones once', () => {
  const clock = new ManualClock(10_000)
  const tick = new PeriodicTick(clock, 200)
  expect([tick.nextMs, tick.take(10_199), tick.take(10_200)]).toEqual([10_200, false, true])
  clock.advance(1_000)
  expect([tick.take(11_000), tick.take(11_000), tick.nextMs]).toEqual([true, false, 11_200])
})

test('a clock that is set back by an hour does not hold ticks up for an hour', () => {
  const clock = new ManualClock(10_000_000)
  const tick = new PeriodicTick(clock, 200)
  clock.setNow(10_000_000 - 3_600_000)
  expect(tick.nextMs).toBe(6_400_200)
  expect([tick.take(6_400_199), tick.take(6_400_200)]).toEqual([false, true])
})

test('nor does it make a silent input look busy for an hour', () => {
  const timer = new IdlenessTimer(1_000)
  const probes = [10_000_000, 10_000_500, 6_400_500, 6_401_500, 6_401_501]
  expect(probes.map(now => timer.probe(0, now))).toEqual([false, false, false, false, true])
})
