import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Float64Column, Int32Column, ObjectColumn } from '../../../src/state/heap/column.ts'
import { CurrentKey } from '../../../src/state/heap/current-key.ts'
import { HeapTimerQueue } from '../../../src/state/heap/heap-timer-queue.ts'
import { KeyColumn } from '../../../src/state/heap/key-column.ts'
import { PendingEntries } from '../../../src/state/heap/pending-entries.ts'
import type { PrimitiveKey } from '../../../src/state/key.ts'
import { readSection } from '../../../src/state/section-reader.ts'
import { joinSections, SectionWriter } from '../../../src/state/section-writer.ts'
import { type EntryKey, readEntryKey } from '../../../src/state/snapshot-format.ts'

const range = { start: 0, end: 7 }

function open(): { queue: HeapTimerQueue; current: CurrentKey } {
  const current = new CurrentKey()
  return { queue: new HeapTimerQueue({ current, checkOwned: () => {} }), current }
}

type ModelTimer = readonly [key: PrimitiveKey, namespace: number, timestamp: number]
const nameOf = (timer: ModelTimer): string => JSON.stringify(timer)

const key = fc.oneof(fc.nat(5), fc.constantFrom<PrimitiveKey>('a', 'b', 0.5))
const step = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'remove', 'poll', 'walk'),
  key,
  namespace: fc.constantFrom(0, 0, 7),
  timestamp: fc.oneof(fc.nat(30), fc.constantFrom(-1, 0.5, Number.POSITIVE_INFINITY)),
})

describe('timers on the heap', () => {
  test('T1, T2, H1, H2, H3: random adds, removals and polls do what a sorted set does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), steps => {
        const { queue, current } = open()
        const model = new Map<string, ModelTimer>()
        for (const { kind, key, namespace, timestamp } of steps) {
          current.set(key)
          const name = nameOf([key, namespace, timestamp])
          if (kind === 'add') {
            expect(queue.add(namespace, timestamp)).toBe(!model.has(name))
            model.set(name, [key, namespace, timestamp])
          } else if (kind === 'remove') {
            expect(queue.remove(namespace, timestamp)).toBe(model.delete(name))
          } else if (queue.poll(timestamp)) {
            const least = Math.min(...[...model.values()].map(timer => timer[2]))
            expect(queue.polledTimestamp).toBe(least)
            const polled = [current.key as PrimitiveKey, queue.polledNamespace, least] as const
            expect(model.delete(nameOf(polled))).toBe(true)
          } else {
            expect([...model.values()].every(timer => timer[2] > timestamp)).toBe(true)
          }
          const times = [...model.values()].map(timer => timer[2])
          expect([queue.size, queue.nextTimestamp()]).toEqual([model.size, Math.min(...times)])
        }
      }),
    )
  })

  test('a snapshot holds the timers that were there when it began, each once', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 100 }),
        fc.array(step, { maxLength: 200 }),
        (before, meanwhile) => {
          const { queue, current } = open()
          const model = new Set<string>()
          for (const { kind, key, namespace, timestamp } of before) {
            current.set(key)
            const name = nameOf([key, namespace, timestamp])
            if (kind === 'remove') {
              queue.remove(namespace, timestamp)
              model.delete(name)
            } else {
              queue.add(namespace, timestamp)
              model.add(name)
            }
          }
          const writer = new SectionWriter(8, range)
          queue.beginSnapshot(writer)
          for (const { kind, key, namespace, timestamp } of meanwhile) {
            current.set(key)
            if (kind === 'add') queue.add(namespace, timestamp)
            else if (kind === 'remove') queue.remove(namespace, timestamp)
            else if (kind === 'poll') queue.poll(timestamp)
            else queue.writeSome(3)
          }
          while (!queue.writeSome(10));
          queue.endSnapshot()
          expect(timersOf(writer).toSorted()).toEqual([...model].toSorted())
        },
      ),
    )
  })
})

function timersOf(writer: SectionWriter): string[] {
  const meta = { name: 't', kind: 'timers', schema: null, version: 0, ttl: false } as const
  const { chunks, groups } = joinSections([meta], [writer], range)
  const bytes = Buffer.concat(chunks)
  const entry: EntryKey = { key: 0, namespace: 0 }
  return groups.flatMap(({ offset, length }) =>
    readSection(bytes.subarray(offset, offset + length), 1).flatMap(({ count, input }) =>
      Array.from({ length: count }, () => {
        readEntryKey(input, entry)
        return nameOf([entry.key, entry.namespace, input.readFloat64()])
      }),
    ),
  )
}

test('columns keep their cells over pages', () => {
  for (const column of [new Int32Column(), new Float64Column()]) {
    for (let i = 0; i < 40_000; i++) {
      column.reserve(i)
      column.set(i, i * 2)
    }
    expect([0, 15, 16, 16_383, 16_384, 39_999].map(i => column.get(i) / 2)).toEqual([
      0, 15, 16, 16_383, 16_384, 39_999,
    ])
  }
  const objects = new ObjectColumn()
  objects.reserve(0)
  objects.set(0, 'x')
  objects.release(0)
  expect(objects.get(0)).toBeUndefined()
})

test('a key column turns from integers to doubles to anything', () => {
  const column = new KeyColumn()
  const keys: PrimitiveKey[] = [1, -1, 0.5, 3, 'text', 2n ** 70n, true]
  keys.forEach((key, i) => {
    column.add(i, key, i)
    expect(keys.slice(0, i + 1).map((_, j) => column.get(j))).toEqual(keys.slice(0, i + 1))
  })
})

test('P1: of entries taken and walked over in any order each comes once', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.array(fc.nat(99)), (end, taken) => {
      const pending = new PendingEntries()
      pending.begin(end)
      const seen: number[] = []
      for (const entry of taken.filter(one => one < end)) {
        if (pending.take(entry)) seen.push(entry)
        const next = pending.next(pending.cursor + 2)
        if (next >= 0) seen.push(next)
      }
      for (let next = pending.next(end); next >= 0; next = pending.next(end)) seen.push(next)
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: end }, (_, i) => i))
      expect(pending.isDone).toBe(true)
    }),
  )
})
