import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { encodePieces, makePieceReader } from '../../../src/runtime/network/piece-codec.ts'
import { RecordBatch } from '../../../src/runtime/network/stream-item.ts'
import { record } from '../../../src/schema/record.ts'
import type { Type } from '../../../src/schema/type.ts'
import { z } from '../../../src/schema/z.ts'

const Item = record({ id: z.int32(), text: z.string() }) as Type<unknown>

const batches = fc.array(
  fc
    .array(fc.record({ id: fc.nat(), length: fc.oneof(fc.nat(50), fc.nat(100_000)) }))
    .map(items => items.map(({ id, length }) => [{ id, text: 'x'.repeat(length) }, id]))
    .map(items => new RecordBatch(items.flat(), items.length)),
  { maxLength: 4 },
)

function valuesOf(all: readonly RecordBatch[]): unknown[] {
  return all.flatMap(({ items, size }) => items.slice(0, size * 2))
}

test('PC1: records come back from their pieces, wherever they are cut again', () => {
  fc.assert(
    fc.property(batches, fc.nat(60_000), (sent, cut) => {
      const reader = makePieceReader(Item)
      const received: RecordBatch[] = []
      for (const { bytes, more } of encodePieces(Item, sent)) {
        expect(bytes.length).toBeLessThanOrEqual(32_756)
        const at = Math.min(cut, bytes.length)
        const first = reader.read({ kind: 'frame', bytes: bytes.subarray(0, at), more: true })
        expect(first).toBeUndefined()
        expect(reader.isWhole).toBe(false)
        const batch = reader.read({ kind: 'frame', bytes: bytes.subarray(at), more })
        if (batch !== undefined) received.push(batch)
      }
      expect(reader.isWhole).toBe(true)
      expect(valuesOf(received)).toEqual(valuesOf(sent))
    }),
    { numRuns: 40 },
  )
})

test('nothing is no piece', () => {
  expect(encodePieces(Item, [])).toEqual([])
  expect(encodePieces(Item, [new RecordBatch([], 0)])).toEqual([])
})
