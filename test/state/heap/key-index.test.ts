import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { KeyIndex } from '../../../src/state/heap/key-index.ts'

const any = { matches: () => true }

const tagKinds: Record<string, (i: number) => number> = {
  'in order': i => i,
  'far apart': i => Math.imul(i, 0x10000),
  'of high bits only': i => Math.imul(i, 0x100000),
  spread: i => Math.imul(i, 0x9e3779b1),
}

test.each(Object.entries(tagKinds))('I1, I2: finds 60,000 tags %s after growth', (_, tagOf) => {
  const index = new KeyIndex()
  const tags = [...new Set(Array.from({ length: 60_000 }, (_, i) => tagOf(i)))]
  tags.forEach((tag, i) => {
    index.insert(tag, i)
  })
  expect(tags.every((tag, i) => index.find(tag, any) === i)).toBe(true)
  tags.forEach((tag, i) => {
    if (i % 3 === 0) index.remove(tag, i)
  })
  expect(tags.every((tag, i) => index.find(tag, any) === (i % 3 === 0 ? -1 : i))).toBe(true)
})

test('many entries of one tag are told apart by the matcher', () => {
  const index = new KeyIndex()
  for (let i = 0; i < 2_000; i++) index.insert(7, i)
  for (const wanted of [0, 999, 1_999]) {
    expect(index.find(7, { matches: entry => entry === wanted })).toBe(wanted)
  }
  for (let i = 0; i < 2_000; i++) index.remove(7, i)
  expect(index.find(7, any)).toBe(-1)
})

test('random inserts and removals leave what a map has', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -40, max: 40 }), { maxLength: 400 }), tags => {
      const index = new KeyIndex()
      const model = new Map<number, number>()
      tags.forEach((tag, i) => {
        const held = model.get(tag)
        if (held === undefined) {
          index.insert(tag, i)
          model.set(tag, i)
        } else {
          index.remove(tag, held)
          model.delete(tag)
        }
      })
      for (let tag = -40; tag <= 40; tag++) expect(index.find(tag, any)).toBe(model.get(tag) ?? -1)
    }),
  )
})
