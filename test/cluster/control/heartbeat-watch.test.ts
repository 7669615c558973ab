import { expect, test } from '@jest/globals'
import { HeartbeatWatch } from '../../../src/cluster/control/heartbeat-watch.ts'

const times = { intervalMs: 500, timeoutMs: 2_000 }

/** Looks every interval, as its owner does; gives the verdicts. */
function lookUntil(watch: HeartbeatWatch, fromMs: number, toMs: number): string[] {
  const verdicts: string[] = []
  for (let now = fromMs; now <= toMs; now += times.intervalMs) verdicts.push(watch.look(now))
  return verdicts
}

test('V1: silence for the whole time is death, and not a moment less', () => {
  const watch = new HeartbeatWatch(times, 0)
  expect(lookUntil(watch, 500, 2_000)).toEqual(['alive', 'alive', 'alive', 'silent'])
})

test('any word begins the time anew', () => {
  const watch = new HeartbeatWatch(times, 0)
  lookUntil(watch, 500, 1_500)
  expect(watch.heard(1_900)).toBe('alive')
  expect(lookUntil(watch, 2_000, 4_000)).toEqual(['alive', 'alive', 'alive', 'alive', 'silent'])
})

test('V2: who stood still for the whole time believes nothing that arrives then', () => {
  const watch = new HeartbeatWatch(times, 0)
  watch.look(500)
  expect(watch.heard(2_499)).toBe('alive')
  const stopped = new HeartbeatWatch(times, 0)
  stopped.look(500)
  expect(stopped.heard(2_500)).toBe('stalled')
  expect(stopped.look(2_600)).toBe('stalled')
})

test('V3: who stood still for less listens once more before it judges', () => {
  const watch = new HeartbeatWatch(times, 0)
  watch.look(500)
  // Nothing could be read from 500 to 2,300: what came meanwhile lies in the socket.
  expect(watch.look(2_300)).toBe('alive')
  watch.heard(2_301)
  expect(watch.look(2_800)).toBe('alive')
  const deserted = new HeartbeatWatch(times, 0)
  deserted.look(500)
  expect(deserted.look(2_300)).toBe('alive')
  expect(deserted.look(2_800)).toBe('silent')
})

test('other times count from their beginning', () => {
  const watch = new HeartbeatWatch(times, 0)
  watch.change({ intervalMs: 500, timeoutMs: 30_000 }, 1_900)
  expect(watch.look(20_000)).toBe('alive')
  watch.change(times, 20_000)
  expect(watch.look(21_999)).toBe('alive')
})
