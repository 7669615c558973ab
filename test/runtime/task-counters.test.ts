import { expect, test } from '@jest/globals'
import { TaskCounters } from '../../src/runtime/task-counters.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

test('every moment belongs to one kind, also the running one', () => {
  const clock = new ManualClock()
  const counters = new TaskCounters({ vertexId: 'v', subtaskIndex: 0, clock })
  const times = (): number[] => [counters.busyMs, counters.idleMs, counters.backpressuredMs]
  clock.advance(100)
  expect(times()).toEqual([0, 0, 0])
  counters.turnTo('idle', clock.monotonic())
  clock.advance(5)
  counters.turnTo('busy', clock.monotonic())
  clock.advance(3)
  expect(times()).toEqual([3, 5, 0])
  counters.turnTo('backpressured', clock.monotonic())
  clock.advance(7)
  expect(times()).toEqual([3, 5, 7])
})
