import { expect, test } from '@jest/globals'
import { decodeItems, ItemEncoders } from '../../../src/runtime/network/channel-state.ts'
import { makePieceDecoder } from '../../../src/runtime/network/frame-pieces.ts'
import { RecordBatch } from '../../../src/runtime/network/stream-item.ts'
import { edgeOf } from './edge-fixture.ts'

const edge = edgeOf({ kind: 'rebalance' })

test('items keep their kind and order', () => {
  const chunks = new ItemEncoders().encode(edge, [
    { kind: 'frame', bytes: Buffer.from('half'), more: true },
    { kind: 'frame', bytes: Buffer.from('whole'), more: false },
    { kind: 'watermark', watermark: 1_700_000_000_000.5 },
    { kind: 'status', status: 'idle' },
    { kind: 'status', status: 'active' },
    { kind: 'watermark', watermark: Number.POSITIVE_INFINITY },
  ])
  expect(decodeItems(Buffer.concat(chunks))).toEqual([
    { kind: 'frame', bytes: Buffer.from('half'), more: true },
    { kind: 'frame', bytes: Buffer.from('whole'), more: false },
    { kind: 'watermark', watermark: 1_700_000_000_000.5 },
    { kind: 'status', status: 'idle' },
    { kind: 'status', status: 'active' },
    { kind: 'watermark', watermark: Number.POSITIVE_INFINITY },
  ])
})

test('batches become frames of the edge', () => {
  const batch = new RecordBatch(['a', 1, 'b', 2], 2)
  const [item] = decodeItems(Buffer.concat(new ItemEncoders().encode(edge, [batch])))
  expect(item?.kind).toBe('frame')
  if (item?.kind === 'frame') expect(makePieceDecoder(edge.type)(item)?.items).toEqual(batch.items)
})

test('nothing in flight is no bytes', () => {
  expect(new ItemEncoders().encode(edge, [])).toEqual([])
  expect(decodeItems(Buffer.alloc(0))).toEqual([])
})

test.each([
  ['cut in its head', (bytes: Buffer) => bytes.subarray(0, 3)],
  ['cut in its payload', (bytes: Buffer) => bytes.subarray(0, -1)],
  ['of an unknown kind', (bytes: Buffer) => Buffer.concat([Buffer.from([9]), bytes.subarray(1)])],
  ['a watermark of a wrong size', () => Buffer.from([2, 1, 0, 0, 0, 7])],
])('an item %s is refused', (_sentence, damage) => {
  const bytes = Buffer.concat(
    new ItemEncoders().encode(edge, [{ kind: 'watermark', watermark: 1 }]),
  )
  expect(() => decodeItems(damage(bytes))).toThrow(
    expect.objectContaining({ code: 'WEIR_BYTES_MALFORMED' }),
  )
})
