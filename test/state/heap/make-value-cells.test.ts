import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from '@jest/globals'
import { typeOf } from '../../../src/schema/type-of.ts'
import { z } from '../../../src/schema/z.ts'
import { Generation } from '../../../src/state/heap/generation.ts'
import { makeObjectCells, makeValueCells } from '../../../src/state/heap/make-value-cells.ts'
import { ObjectPages } from '../../../src/state/heap/object-pages.ts'
import { makeRecordCells } from '../../../src/state/heap/record-cells.ts'
import type { ValueCells } from '../../../src/state/heap/value-cells.ts'
import { makeKeeper, refuseValue } from '../../../src/state/heap/value-keeper.ts'

function generationOf(cells: ValueCells): Generation {
  const { width } = cells
  return new Generation(
    16,
    { width, makeValues: slots => cells.makeValues(slots), timed: false },
    cells.makeArena?.(),
  )
}

function type(schema: z.ZodType) {
  return typeOf(schema) as never as Parameters<typeof makeValueCells>[0]
}

describe('the cells of a type', () => {
  const stored: Record<string, [z.ZodType, unknown]> = {
    'an integer in 4 bytes': [z.int32(), Int32Array],
    'a double in 8': [z.number(), Float64Array],
    'a timestamp in 8': [z.timestamp(), Float64Array],
    'numbers of an object as its fields': [
      z.object({ n: z.int32(), inner: z.object({ sum: z.number(), on: z.boolean() }) }),
      Float64Array,
    ],
    'bytes as an address': [z.bytes(), Int32Array],
    'a string as it is': [z.string(), ObjectPages],
    'an object with a string as it is': [z.object({ name: z.string() }), ObjectPages],
    'an object of many numbers as it is': [
      z.object(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`f${i}`, z.number()]))),
      ObjectPages,
    ],
  }
  test.each(Object.entries(stored))('hold %s', (_, [schema, kind]) => {
    expect(makeValueCells(type(schema)).makeValues(16)).toBeInstanceOf(kind as never)
  })
})

describe('cells of the fields of an object', () => {
  const schema = z.object({
    count: z.int32(),
    'odd name': z.number(),
    inner: z.object({ at: z.timestamp(), on: z.boolean(), total: z.int() }),
  })
  const value = {
    count: -3,
    'odd name': Number.NaN,
    inner: { at: 1_700_000_000_000, on: true, total: 2 ** 53 - 1 },
  }
  const cells = makeRecordCells(type(schema)) as ValueCells

  test('give an equal object, a new one each time', () => {
    const generation = generationOf(cells)
    const slots = [1, 2, 3].map(tag => placed(generation, tag))
    for (const slot of slots) cells.set(generation, slot, cells.keep(value))
    const other = { ...value, count: 9, inner: { ...value.inner, on: false } }
    cells.set(generation, slots[1] as number, cells.keep(other))
    expect(slots.map(slot => cells.get(generation, slot))).toEqual([value, other, value])
    const read = cells.get(generation, slots[0] as number) as { count: number }
    read.count = 100
    expect(cells.get(generation, slots[0] as number)).toEqual(value)
  })

  test('are lent by one object, whose fields may be changed and set', () => {
    const generation = generationOf(cells)
    const slots = [1, 2].map(tag => placed(generation, tag)) as [number, number]
    for (const slot of slots) cells.set(generation, slot, cells.keep(value))
    const lent = cells.lend(generation, slots[0]) as typeof value
    expect(lent).toEqual(value)
    lent.count = 4
    cells.set(generation, slots[0], cells.keep(lent))
    expect(cells.lend(generation, slots[1])).toEqual(value)
    expect(cells.get(generation, slots[0])).toEqual({ ...value, count: 4 })
  })

  const misfits: Record<string, unknown> = {
    'no object': 5,
    null: null,
    'a fraction for an integer': { ...value, count: 0.5 },
    'a text for a number': { ...value, 'odd name': '1' },
    'a number for a boolean': { ...value, inner: { ...value.inner, on: 1 } },
    'a missing inner object': { count: 1, 'odd name': 1 },
  }
  test.each(Object.entries(misfits))('refuse %s', (_, misfit) => {
    expect(() => cells.keep(misfit)).toThrow(
      expect.objectContaining({ code: 'WEIR_VALUE_UNSERIALIZABLE' }),
    )
  })
})

describe('what is kept', () => {
  test('of frozen and odd values is as it was', () => {
    const keep = makeKeeper(type(z.object({ a: z.string(), b: z.array(z.string()).optional() })))
    const frozen = Object.freeze({ a: 'a text of more than thirteen letters' })
    expect(keep(frozen)).toEqual(frozen)
    for (const odd of [undefined, null, 5, { a: 1 }, { a: 'x', b: null }]) {
      expect(keep(odd)).toEqual(odd)
    }
  })

  test('is the same value for every kind that holds strings', () => {
    const long = 'a text of more than thirteen letters'
    const samples: [z.ZodType, unknown][] = [
      [z.string(), long],
      [z.string().nullable(), null],
      [z.tuple([z.string(), z.number()]), [long, 1]],
      [z.record(z.string(), z.string()), { [long]: long }],
      [z.map(z.string(), z.array(z.string())), new Map([[long, [long]]])],
      [
        z.discriminatedUnion('k', [
          z.object({ k: z.literal('a'), v: z.string() }),
          z.object({ k: z.literal('b'), v: z.number() }),
        ]),
        { k: 'b', v: 3 },
      ],
    ]
    for (const [schema, value] of samples) expect(makeKeeper(type(schema))(value)).toEqual(value)
  })

  test('does not hold on to the text that a string is a piece of', () => {
    const keep = makeKeeper(type(z.object({ name: z.string(), tags: z.array(z.string()) })))
    const kept: unknown[] = []
    const before = heapBytes()
    for (let i = 0; i < 200; i++) {
      const batch = `${i}`.padEnd(100_000, 'abcdefghij')
      kept.push(keep({ name: batch.slice(10, 40), tags: [batch.slice(50, 70)] }))
    }
    expect(heapBytes() - before).toBeLessThan(5_000_000)
    expect(kept).toHaveLength(200)
  })

  test('a value that the codec takes after all is the cells’ own fault', () => {
    expect(() => refuseValue(type(z.number()), 5)).toThrow('fits its cells')
  })
})

test('cells of objects give the very object', () => {
  const cells = makeObjectCells()
  const generation = generationOf(cells)
  const value = {}
  const slot = placed(generation, 1)
  cells.set(generation, slot, cells.keep(value))
  expect(cells.get(generation, slot)).toBe(value)
})

/** Without --expose-gc the collector is asked by the only other means there is. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

/** The slot in which an entry of this tag was put. */
function placed(generation: Generation, tag: number): number {
  const slot = generation.freeSlot(tag)
  generation.occupy(slot, tag, 1)
  return slot
}
