import { expect, test } from '@jest/globals'
import { Generation } from '../../../src/state/heap/generation.ts'
import { PageCopies } from '../../../src/state/heap/page-copies.ts'

const shape = { width: 2, makeValues: (slots: number) => new Float64Array(slots * 2), timed: true }

function filled(withKeys: boolean): Generation {
  const generation = new Generation(4_096, shape, undefined)
  if (withKeys) {
    generation.addKeys()
    generation.addNamespaces()
  }
  for (let slot = 0; slot < 4_096; slot += 3) {
    generation.occupy(slot, slot + 7, 1)
    generation.keys?.set(slot, `key ${slot}`)
    if (generation.namespaces !== undefined) generation.namespaces[slot] = slot + 1
    ;(generation.values as Float64Array).set([slot, -slot], slot * 2)
    ;(generation.times as Float64Array)[slot] = slot + 0.5
  }
  return generation
}

function overwrite(generation: Generation, slot: number): void {
  generation.occupy(slot, -1, 1)
  generation.keys?.set(slot, 'another')
  if (generation.namespaces !== undefined) generation.namespaces[slot] = 0
  ;(generation.values as Float64Array).fill(99, slot * 2, slot * 2 + 2)
  ;(generation.times as Float64Array)[slot] = 0
}

function seen(generation: Generation, slot: number): unknown[] {
  const values = (generation.values as Float64Array).slice(slot * 2, slot * 2 + 2)
  const time = generation.times?.[slot]
  return [
    generation.isEntry(slot),
    generation.key(slot),
    generation.namespace(slot),
    ...values,
    time,
  ]
}

test.each([false, true])('PC1: a saved slot shows what it was; keys beside: %p', withKeys => {
  const generation = filled(withKeys)
  const before = Array.from({ length: 4_096 }, (_, slot) => seen(generation, slot))
  const copies = new PageCopies(generation, shape, undefined)
  generation.beginPending()
  for (const slot of [0, 1, 1_023, 2_048, 4_095]) {
    if (generation.isPending(slot)) copies.save(slot)
    overwrite(generation, slot)
  }
  // Keys that come to the live one later are no matter of the copy.
  if (!withKeys) generation.addKeys()
  for (let slot = 0; slot < 4_096; slot += 3) {
    expect(seen(copies.at(slot), slot)).toEqual(before[slot])
  }
  expect(copies.at(1).isEntry(1)).toBe(false)
})

test('pages are pending until they are copied or read, and only copied ones are read anew', () => {
  const generation = filled(false)
  const copies = new PageCopies(generation, shape, undefined)
  generation.beginPending()
  generation.settlePage(0)
  copies.save(1_024)
  expect([5, 1_024, 2_047, 2_048].map(slot => generation.isPending(slot))).toEqual([
    false,
    false,
    false,
    true,
  ])
  expect([1_024, 2_048].map(slot => copies.at(slot) === generation)).toEqual([false, true])
  generation.endPending()
  expect(generation.isPending(2_048)).toBe(false)
})

test('the memory of one snapshot serves the next, if it has the size', () => {
  const generation = filled(true)
  const first = new PageCopies(generation, shape, undefined)
  generation.beginPending()
  first.save(0)
  overwrite(generation, 0)
  const second = new PageCopies(generation, shape, first.memory)
  const now = seen(generation, 0)
  generation.beginPending()
  second.save(0)
  expect(second.memory).toBe(first.memory)
  overwrite(generation, 3)
  expect(seen(second.at(0), 0)).toEqual(now)
  const small = new Generation(16, shape, undefined)
  small.beginPending()
  const other = new PageCopies(small, shape, first.memory)
  other.save(0)
  expect(other.memory?.capacity).toBe(16)
})
