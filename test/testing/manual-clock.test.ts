import { expect, test } from '@jest/globals'
import { ManualClock } from '../../src/testing/manual-clock.ts'

test('callbacks come in the order of their time, with the clock at that time', () => {
  const clock = new ManualClock(1_000)
  const seen: unknown[] = []
  const note = (name: string) => () => seen.push([name, clock.now(), clock.monotonic()])
  clock.schedule(20, note('late'))
  clock.schedule(10, note('early'))
  clock.schedule(10, note('same time, later'))
  const cancelled = clock.schedule(5, note('cancelled'))
  cancelled.cancel()
  expect(clock.pending).toBe(3)
  clock.advance(15)
  expect(seen).toEqual([
    ['early', 1_010, 10],
    ['same time, later', 1_010, 10],
  ])
  expect([clock.now(), clock.monotonic()]).toEqual([1_015, 15])
  clock.advanceTo(1_020)
  expect(seen).toHaveLength(3)
  expect(clock.pending).toBe(0)
})

test('a callback may schedule another one that is due in the same advance', () => {
  const clock = new ManualClock()
  const seen: number[] = []
  const again = (): void => {
    seen.push(clock.now())
    clock.schedule(10, again)
  }
  clock.schedule(0, again)
  clock.advance(25)
  expect(seen).toEqual([0, 10, 20])
})

test('the wall clock may be set back: no time passes, nothing falls due', () => {
  const clock = new ManualClock(1_000)
  const seen: number[] = []
  clock.schedule(10, () => seen.push(clock.now()))
  clock.setNow(500)
  expect([clock.now(), clock.monotonic(), seen.length]).toEqual([500, 0, 0])
  clock.advance(10)
  expect(seen).toEqual([510])
  clock.advanceTo(400)
  expect(clock.now()).toBe(510)
})
