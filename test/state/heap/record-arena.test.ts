import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ByteWriter } from '../../../src/common/bytes.ts'
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
            const out = new ByteWriter(1)
            arena.copyTo(out, address)
            expect(out.view().equals(bytes)).toBe(true)
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
