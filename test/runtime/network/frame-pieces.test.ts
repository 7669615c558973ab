import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { FramePiece } from '../../../src/runtime/network/channel.ts'
import {
  makePieceDecoder,
  makePieceEncoder,
  PIECE_BYTES_MAX,
} from '../../../src/runtime/network/frame-pieces.ts'
import { RecordBatch } from '../../../src/runtime/network/stream-item.ts'
import { generalType } from '../../../src/schema/general-type.ts'
import type { Type } from '../../../src/schema/type.ts'
import { typeOf } from '../../../src/schema/type-of.ts'
import { z } from '../../../src/schema/z.ts'

const person = typeOf(z.object({ name: z.string(), age: z.int() })) as Type<unknown>

function batchOf(values: readonly unknown[]): RecordBatch {
  return new RecordBatch(
    values.flatMap((value, at) => [value, at]),
    values.length,
  )
}

function decoded(type: Type<unknown>, pieces: readonly FramePiece[]): readonly unknown[] {
  const decode = makePieceDecoder(type)
  return pieces.flatMap(piece => {
    const batch = decode(piece)
    return batch === undefined ? [] : batch.items.slice(0, batch.size * 2)
  })
}

test('what is encoded is decoded, with timestamps', () => {
  const people = fc.array(fc.record({ name: fc.string(), age: fc.integer() }), { minLength: 1 })
  fc.assert(
    fc.property(people, values => {
      const batch = batchOf(values)
      expect(decoded(person, makePieceEncoder(person)(batch))).toEqual(batch.items)
    }),
  )
})

test('records without a schema, and without a timestamp', () => {
  const batch = new RecordBatch([{ a: [1, 'x'] }, Number.NEGATIVE_INFINITY, null, 5], 2)
  expect(decoded(generalType, makePieceEncoder(generalType)(batch))).toEqual(batch.items)
})

test('no piece is larger than the limit, and a large record spans several', () => {
  const large = { name: 'x'.repeat(3 * PIECE_BYTES_MAX), age: 1 }
  const small = { name: 'y', age: 2 }
  const batch = batchOf([small, large, small])
  const pieces = makePieceEncoder(person)(batch)
  expect(pieces.every(({ bytes }) => bytes.length <= PIECE_BYTES_MAX)).toBe(true)
  expect(pieces.filter(({ more }) => more).length).toBe(3)
  expect(decoded(person, pieces)).toEqual(batch.items)
})

test('only used items of a batch count', () => {
  const batch = new RecordBatch([{ name: 'a', age: 1 }, 7, undefined, undefined], 1)
  expect(decoded(person, makePieceEncoder(person)(batch))).toEqual([{ name: 'a', age: 1 }, 7])
})
