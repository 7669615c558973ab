import { describe, expect, test } from '@jest/globals'
import { ByteWriter } from '../../../src/common/bytes.ts'
import type { Type } from '../../../src/schema/type.ts'
import { typeOf } from '../../../src/schema/type-of.ts'
import { z } from '../../../src/schema/z.ts'
import { ArenaCells } from '../../../src/state/heap/arena-cells.ts'
import { Generation } from '../../../src/state/heap/generation.ts'
import { ObjectPages } from '../../../src/state/heap/object-pages.ts'

const named = typeOf(z.object({ name: z.string(), n: z.int32() })) as Type<unknown>

function open(encodedFrom: number, type = named): ArenaCells {
  return new ArenaCells(type, { encodedFrom, keep: value => value })
}

function generationOf(cells: ArenaCells, slots: number): Generation {
  return new Generation(
    slots,
    {
      width: 1,
      timed: false,
      makeValues: count => cells.makeValues(count),
      encode: cells.encode,
    },
    cells.makeArena(),
  )
}

/** The slot in which an entry of this tag was put. */
function placed(generation: Generation, tag: number): number {
  const slot = generation.freeSlot(tag)
  generation.occupy(slot, tag, 1)
  return slot
}

function put(cells: ArenaCells, generation: Generation, value: unknown): number {
  const kept = cells.keep(value)
  const slot = placed(generation, 1)
  cells.set(generation, slot, kept)
  return slot
}

describe('encoded values', () => {
  test('are equal ones, never the same object', () => {
    const cells = open(0, typeOf(z.bytes()) as Type<unknown>)
    const generation = generationOf(cells, 16)
    const given = Buffer.from('abc')
    const slot = put(cells, generation, given)
    given[0] = 0
    expect(String(cells.get(generation, slot))).toBe('abc')
    expect(cells.get(generation, slot)).not.toBe(cells.get(generation, slot))
    expect(cells.holds(generation, slot, cells.get(generation, slot))).toBe(false)
  })

  test('are written as they are kept', () => {
    const cells = open(0)
    const generation = generationOf(cells, 16)
    const slot = put(cells, generation, { name: 'a name', n: 5 })
    const [stored, wanted] = [new ByteWriter(), new ByteWriter()]
    expect(cells.writeStored(stored, generation, slot)).toBe(true)
    named.write(wanted, { name: 'a name', n: 5 })
    expect(stored.view().equals(wanted.view())).toBe(true)
  })
})

describe('values of a table that grows', () => {
  test('are the very objects while there are few', () => {
    const cells = open(64)
    const generation = generationOf(cells, 32)
    const value = { name: 'x', n: 1 }
    const slot = put(cells, generation, value)
    expect(cells.get(generation, slot)).toBe(value)
    expect(cells.holds(generation, slot, value)).toBe(true)
    expect(cells.writeStored(new ByteWriter(), generation, slot)).toBe(false)
  })

  test('are encoded when they move on', () => {
    const cells = open(64)
    const small = generationOf(cells, 32)
    const value = { name: 'x', n: 1 }
    const slot = put(cells, small, value)
    const large = generationOf(cells, 64)
    const to = large.freeSlot(1)
    small.moveTo(large, slot, to)
    expect(cells.get(large, to)).toEqual(value)
    expect(cells.get(large, to)).not.toBe(value)
  })

  test('stay as they are while they are mostly read', () => {
    const cells = open(64)
    const small = generationOf(cells, 32)
    const slot = put(cells, small, { name: 'x', n: 1 })
    for (let i = 0; i < 2; i++) cells.get(small, slot)
    expect(cells.makeValues(64)).toBeInstanceOf(ObjectPages)
    cells.set(small, slot, cells.keep({ name: 'y', n: 1 }))
    expect(cells.makeValues(64)).toBeInstanceOf(Int32Array)
  })

  const unserializable = expect.objectContaining({ code: 'WEIR_VALUE_UNSERIALIZABLE' })

  test('are refused before they would have to be encoded', () => {
    const cells = open(64)
    cells.makeValues(16)
    expect(cells.keep({ name: 5, n: 1 })).toEqual({ name: 5, n: 1 })
    cells.makeValues(32)
    expect(() => cells.keep({ name: 5, n: 1 })).toThrow(unserializable)
  })

  test('one that does not fit, kept before it was looked at, stays where it is', () => {
    const cells = open(64)
    const small = generationOf(cells, 16)
    const slot = put(cells, small, { name: 5, n: 1 })
    const large = generationOf(cells, 64)
    expect(() => small.moveTo(large, slot, large.freeSlot(1))).toThrow(unserializable)
    expect([small.isEntry(slot), large.findTag(1)]).toEqual([true, -1])
  })
})
