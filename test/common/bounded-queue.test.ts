import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BoundedQueue } from '../../src/common/bounded-queue.ts'

test('agrees with a plain list under any sequence of calls', () => {
  const call = fc.oneof(fc.constant('poll'), fc.constant('clear'), fc.integer({ min: 0, max: 9 }))
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(call, { maxLength: 200 }),
      (max, calls) => {
        const queue = new BoundedQueue<number>(max)
        const list: number[] = []
        for (const one of calls) {
          if (one === 'poll') expect(queue.poll()).toBe(list.shift())
          else if (one === 'clear') {
            queue.clear()
            list.length = 0
          } else {
            const hasRoom = list.length < max
            if (hasRoom) list.push(one as number)
            expect(queue.offer(one as number)).toBe(hasRoom)
          }
          expect(queue.size).toBe(list.length)
          expect(queue.isFull).toBe(list.length === max)
          expect(queue.peek()).toBe(list[0])
          expect([...queue]).toEqual(list)
        }
      },
    ),
  )
})

test('refuses a capacity below one', () => {
  expect(() => new BoundedQueue(0)).toThrow(/capacity/)
})
