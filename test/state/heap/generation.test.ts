import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Generation, tagOf } from '../../../src/state/heap/generation.ts'
import { ObjectPages } from '../../../src/state/heap/object-pages.ts'

const shape = { width: 2, makeValues: (slots: number) => new Float64Array(slots * 2), timed: true }

test('G1: after any placing and closing every tag is found, and its cells moved with it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 200 }), tags => {
      const generation = new Generation(32, shape, undefined)
      const held = new Set<number>()
      for (const tag of tags) {
        const slot = generation.findTag(tag)
        expect(slot >= 0).toBe(held.has(tag))
        if (slot >= 0) {
          generation.close(slot)
          held.delete(tag)
        } else if (held.size < 20) {
          const free = placed(generation, tag)
          ;(generation.values as Float64Array).set([tag, -tag], free * 2)
          ;(generation.times as Float64Array)[free] = tag
          held.add(tag)
        }
      }
      for (const tag of held) {
        const slot = generation.findTag(tag)
        expect(slot).toBeGreaterThanOrEqual(0)
        const values = (generation.values as Float64Array).slice(slot * 2, slot * 2 + 2)
        expect([...values]).toEqual([tag, -tag])
        expect((generation.times as Float64Array)[slot]).toBe(tag)
      }
    }),
  )
})

test('G2: tags are the keys until keys are added, and stay found by key', () => {
  const generation = new Generation(16, shape, undefined)
  for (const key of [3, -7, 0]) placed(generation, key)
  const slots = [3, -7, 0].map(key => generation.findTag(key))
  expect(slots.map(slot => generation.key(slot))).toEqual([3, -7, 0])
  generation.addKeys()
  expect([3, -7, 0].map(key => generation.findKey(key, key, 0))).toEqual(slots)
  expect(generation.findKey(3, 'another key of this hash', 0)).toBe(-1)
})

test('an entry that moved on is found in the next generation only', () => {
  const old = new Generation(16, shape, undefined)
  const next = new Generation(32, shape, undefined)
  const [first, second] = [placed(old, 5), placed(old, 6)]
  const to = next.freeSlot(5)
  old.moveTo(next, first, to)
  expect([old.findTag(5), next.findTag(5), old.findTag(6)]).toEqual([-1, to, second])
})

test('namespaces tell tags of one key apart', () => {
  const tags = [0, 1, 1_700_000_000_000, Number.POSITIVE_INFINITY].map(ns => tagOf(42, ns))
  expect(tags[0]).toBe(42)
  expect(new Set(tags).size).toBe(4)
})

test('pages hold what was set, anywhere', () => {
  const pages = new ObjectPages(40_000)
  for (const at of [0, 16_383, 16_384, 39_999]) pages.set(at, { at })
  for (const at of [0, 16_383, 16_384, 39_999]) expect(pages.get(at)).toEqual({ at })
  expect(pages.bytes).toBe(3 * 16_384 * 8)
})

/** The slot in which an entry of this tag was put. */
function placed(generation: Generation, tag: number): number {
  const slot = generation.freeSlot(tag)
  generation.occupy(slot, tag, 1)
  return slot
}
