import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { typeOf } from '../../../src/schema/type-of.ts'
import { bytes as bytesSchema } from '../../../src/schema/weir-schemas.ts'
import { ArenaCells } from '../../../src/state/heap/arena-cells.ts'
import { Generation } from '../../../src/state/heap/generation.ts'
import { RecordArena } from '../../../src/state/heap/record-arena.ts'

const length = fc.oneof(
  fc.integer({ min: 0, max: 80 }),
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 60_000, max: 70_000 }),
  fc.constant(600_000),
)

describe('an arena', () => {
  test('R1: keeps every live record whatever is added, replaced and freed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.nat(30), length, seed: fc.nat(250) }), { maxLength: 150 }),
        steps => {
          const arena = new RecordArena()
          const held = new Map<number, { address: number; bytes: Buffer }>()
          for (const { name, length, seed } of steps) {
            const bytes = Buffer.alloc(length, seed)
            const before = held.get(name)
            if (before === undefined) {
              held.set(name, { address: arena.add(bytes, length), bytes })
            } else if (seed % 3 === 0) {
              arena.free(before.address)
              held.delete(name)
            } else {
              const address = arena.replace(before.address, bytes, length)
              held.set(name, { address, bytes })
            }
          }
          for (const { address, bytes } of held.values()) {
            expect(address).not.toBe(0)
            expect(arena.readerAt(address).readBytes(bytes.length).equals(bytes)).toBe(true)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('reuses what was freed: work of constant size does not grow', () => {
    const arena = new RecordArena()
    const addresses = Array.from({ length: 1_000 }, (_, i) => arena.add(Buffer.alloc(200, i), 200))
    const { bytes } = arena
    for (let round = 0; round < 50; round++) {
      addresses.forEach((address, i) => {
        arena.free(address)
        addresses[i] = arena.add(Buffer.alloc(193 + (round % 8), i), 193 + (round % 8))
      })
    }
    expect(arena.bytes).toBe(bytes)
  })

  test('gives large blocks back', () => {
    const arena = new RecordArena()
    arena.add(Buffer.alloc(10), 10)
    const { bytes } = arena
    arena.free(arena.add(Buffer.alloc(1_000_000), 1_000_000))
    expect(arena.bytes).toBe(bytes)
  })
})

const shape = { width: 1, timed: false }

test('cells of encoded values give equal values, never the same object', () => {
  const cells = new ArenaCells(typeOf(bytesSchema()) as never)
  const generation = new Generation(
    16,
    { ...shape, makeValues: slots => cells.makeValues(slots) },
    cells.makeArena(),
  )
  const given = Buffer.from('abc')
  cells.keep(given)
  cells.set(generation, placed(generation, 1))
  given[0] = 0
  const slot = generation.findTag(1)
  expect(String(cells.get(generation, slot))).toBe('abc')
  expect(cells.get(generation, slot)).not.toBe(cells.get(generation, slot))
})

/** The slot in which an entry of this tag was put. */
function placed(generation: Generation, tag: number): number {
  const slot = generation.freeSlot(tag)
  generation.occupy(slot, tag, 1)
  return slot
}
