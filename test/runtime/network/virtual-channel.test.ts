import { expect, test } from '@jest/globals'
import type { InFlightItem } from '../../../src/runtime/network/channel.ts'
import { ItemEncoders } from '../../../src/runtime/network/channel-state.ts'
import { makePieceEncoder, PIECE_BYTES_MAX } from '../../../src/runtime/network/frame-pieces.ts'
import { RecordBatch } from '../../../src/runtime/network/stream-item.ts'
import { VirtualChannel } from '../../../src/runtime/network/virtual-channel.ts'
import { edgeOf } from './edge-fixture.ts'

const edge = edgeOf({ kind: 'rebalance' })

function channelOf(
  sides: readonly (readonly InFlightItem[])[],
  keep?: (value: unknown) => boolean,
): VirtualChannel {
  const sections = sides.map(items => Buffer.concat(new ItemEncoders().encode(edge, items)))
  return new VirtualChannel({ type: edge.type, sections, keep })
}

function drain(channel: VirtualChannel): readonly unknown[] {
  const seen: unknown[] = []
  for (let item = channel.poll(); item !== undefined; item = channel.poll()) {
    if (item.kind === 'watermark') seen.push(`w${item.watermark}`)
    if (item.kind === 'records') seen.push(...item.items.filter((_, index) => index % 2 === 0))
  }
  expect(channel.isEmpty).toBe(true)
  return seen
}

const batch = (...values: readonly unknown[]): RecordBatch =>
  new RecordBatch(
    values.flatMap(value => [value, 0]),
    values.length,
  )

test("VC1: the receiver's part, then the sender's", () => {
  const input = [batch('a', 'b'), { kind: 'watermark', watermark: 3 } as const, batch('c')]
  expect(drain(channelOf([input, [batch('d')]]))).toEqual(['a', 'b', 'w3', 'c', 'd'])
})

test('VC2: a record may begin on one side and end on the other', () => {
  const large = 'x'.repeat(2 * PIECE_BYTES_MAX)
  const pieces = makePieceEncoder(edge.type)(batch(large, 'after'))
  for (let at = 0; at <= pieces.length; at++) {
    expect(drain(channelOf([pieces.slice(0, at), pieces.slice(at)]))).toEqual([large, 'after'])
  }
  expect(() => drain(channelOf([pieces.slice(0, 1)]))).toThrow('VC2')
})

test('takes what belongs here only; events are for everybody', () => {
  const items = [batch(1, 2, 3, 4), { kind: 'watermark', watermark: 9 } as const, batch(5, 7)]
  const even = (value: unknown): boolean => (value as number) % 2 === 0
  expect(drain(channelOf([items], even))).toEqual([2, 4, 'w9'])
})
