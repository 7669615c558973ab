import { expect, test } from '@jest/globals'
import { TaskServices } from '../../src/runtime/task-services.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

function servicesOf() {
  const clock = new ManualClock(50)
  let woken = 0
  const services = new TaskServices({
    name: 'a task',
    clock,
    listener: {
      running: () => {},
      snapshotTaken: () => {},
      declined: () => {},
      requestSplit: () => {},
      drained: () => {},
      finished: () => {},
      failed: () => {},
    },
    wake: () => woken++,
    fail: () => {},
  })
  return { services, clock, woken: () => woken }
}

test('processing time stands still within a turn', () => {
  const { services, clock } = servicesOf()
  expect(services.now).toBe(50)
  clock.advance(10)
  expect(services.now).toBe(50)
  services.beginTurn()
  expect(services.now).toBe(60)
})

test('an action of either kind is work, and wakes the task', () => {
  const { services, woken } = servicesOf()
  expect(services.hasWork).toBe(false)
  services.orders.submit(() => {})
  expect([services.hasWork, woken()]).toEqual([true, 1])
  services.orders.run(() => true)
  services.mailbox.submit(() => {})
  expect([services.hasWork, woken()]).toEqual([true, 2])
})
