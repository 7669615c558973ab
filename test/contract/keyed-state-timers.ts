/** Timers: kept by the backend, in order, as part of every snapshot. */
import { describe, expect, test } from '@jest/globals'
import type { Key } from '../../src/api/functions.ts'
import { valueState } from '../../src/api/state-descriptor.ts'
import { z } from '../../src/schema/z.ts'
import { type ContractRows, keys, range } from './keyed-state-setup.ts'

export function timerContract({ one, reopened }: ContractRows): void {
  describe('timers', () => {
    test('T1, T2: each timer once, in the order of time, with its key set', () => {
      const backend = one()
      const timers = backend.timerQueue('t')
      expect([timers.size, timers.nextTimestamp()]).toEqual([0, Number.POSITIVE_INFINITY])
      const times = [5, 1, 9, 1, 7, 5]
      times.forEach((time, i) => {
        backend.setCurrentKey(i % 2 === 0 ? 'even' : 'odd')
        timers.add(0, time)
      })
      backend.setCurrentKey('odd')
      expect([timers.add(0, 5), timers.add(1, 5), timers.nextTimestamp()]).toEqual([false, true, 1])
      const polled: (readonly [number, number, Key])[] = []
      while (timers.poll(7)) {
        polled.push([timers.polledTimestamp, timers.polledNamespace, backend.currentKey()])
      }
      expect(polled.map(([time]) => time)).toEqual([1, 5, 5, 5, 7])
      expect(polled).toContainEqual([5, 1, 'odd'])
      expect(polled).toContainEqual([7, 0, 'even'])
      expect([timers.size, timers.nextTimestamp()]).toEqual([1, 9])
    })

    test('removes timers of the current key only', () => {
      const backend = one()
      const timers = backend.timerQueue('t')
      for (const key of range(200)) {
        backend.setCurrentKey(key)
        timers.add(0, (key * 37) % 101)
      }
      for (const key of range(200)) {
        backend.setCurrentKey(key)
        if (key % 3 === 0) expect(timers.remove(0, (key * 37) % 101)).toBe(true)
        expect([timers.remove(0, 1_000), timers.remove(1, (key * 37) % 101)]).toEqual([
          false,
          false,
        ])
      }
      let last = -1
      let count = 0
      while (timers.poll(Number.POSITIVE_INFINITY)) {
        expect(timers.polledTimestamp).toBeGreaterThanOrEqual(last)
        expect((backend.currentKey() as number) % 3).not.toBe(0)
        last = timers.polledTimestamp
        count++
      }
      expect(count).toBe(133)
    })

    test('a timer at the end of time fires only at the end of time', () => {
      const backend = one()
      const timers = backend.timerQueue('t')
      backend.setCurrentKey(1)
      timers.add(0, Number.POSITIVE_INFINITY)
      expect([timers.poll(Number.MAX_VALUE), timers.poll(Number.POSITIVE_INFINITY)]).toEqual([
        false,
        true,
      ])
    })

    test('are part of the snapshot; two queues and a state may share a name', () => {
      const backend = one()
      const queues = [backend.timerQueue('x'), backend.timerQueue('y')] as const
      backend.state('x', valueState(z.int32()))
      keys.forEach((key, i) => {
        backend.setCurrentKey(key)
        queues[0].add(i % 3, i)
        queues[1].add(0, -i)
      })
      const again = reopened(backend)
      again.state('x', valueState(z.int32()))
      const seen: Key[] = []
      const restored = again.timerQueue('x')
      while (restored.poll(1_000)) seen.push(again.currentKey())
      expect(seen).toEqual(keys)
      expect(again.timerQueue('y').nextTimestamp()).toBe(1 - keys.length)
    })
  })
}
