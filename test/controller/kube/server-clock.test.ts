import { expect, test } from '@jest/globals'
import { ServerClock } from '../../../src/controller/kube/server-clock.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const SERVER_MS = Date.parse('2026-03-01T12:00:00Z')
const date = new Date(SERVER_MS).toUTCString()

function clockAt(aheadMs: number) {
  const skews: number[] = []
  const own = new ManualClock(SERVER_MS + aheadMs)
  const clock = new ServerClock(own, skewMs => skews.push(skewMs))
  return { own, clock, skews }
}

test.each([0, 900, 1_500, -1_500])('a machine that is %d ms ahead is left alone', aheadMs => {
  const { clock, skews } = clockAt(aheadMs)
  clock.heard({ date, seconds: 0.1 })
  expect([clock.skewMs, clock.now() - SERVER_MS, skews]).toEqual([0, aheadMs, []])
})

test.each([3_600_000, -3_600_000, 5_000])('one that is %d ms ahead is corrected', aheadMs => {
  const { own, clock, skews } = clockAt(aheadMs)
  clock.heard({ date, seconds: 0.1 })
  expect(Math.abs(clock.now() - SERVER_MS)).toBeLessThanOrEqual(1_000)
  expect(Math.abs(clock.skewMs - aheadMs)).toBeLessThanOrEqual(1_000)
  own.advance(60_000)
  // The same again is no news.
  clock.heard({ date: new Date(SERVER_MS + 60_000).toUTCString(), seconds: 0.2 })
  expect(skews).toHaveLength(1)
  expect(clock.monotonic()).toBe(own.monotonic())
})

test('an answer that took long tells no more than it can', () => {
  const { clock } = clockAt(20_000)
  clock.heard({ date, seconds: 30 })
  expect(clock.skewMs).toBe(0)
})

test('a machine whose clock is set right again is believed', () => {
  const { own, clock, skews } = clockAt(3_600_000)
  clock.heard({ date, seconds: 0 })
  own.setNow(SERVER_MS)
  clock.heard({ date, seconds: 0 })
  expect([clock.now(), skews.at(-1)]).toEqual([SERVER_MS, 0])
})

test('what is no date changes nothing', () => {
  const { clock, skews } = clockAt(3_600_000)
  clock.heard({ date: 'soon', seconds: 0 })
  expect([clock.skewMs, skews]).toEqual([0, []])
})
