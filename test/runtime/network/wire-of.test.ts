import { expect, test } from '@jest/globals'
import type { JobEdge } from '../../../src/graph/job-graph.ts'
import { wireOf } from '../../../src/runtime/network/wire-of.ts'
import { makeFrameDecoder } from '../../../src/schema/frame-decoder.ts'
import { makeFrameEncoder } from '../../../src/schema/frame-encoder.ts'
import { edgeOf } from './edge-fixture.ts'
import { textType } from './frames-fixture.ts'

const edge: JobEdge = {
  ...edgeOf({ kind: 'key', selector: text => String(text).length }),
  type: textType,
}
const coordinates = { source: 'orders', split: 'orders-3', offset: '17' }

test('records travel as they are', () => {
  expect(wireOf(edge)).toEqual({ type: textType, partitioner: edge.partitioner })
})

test('where a receiver needs coordinates each record has its own, and is routed as before', () => {
  const { type, partitioner } = wireOf({ ...edge, isLocated: true })
  const encoder = makeFrameEncoder(type, { limitBytes: 1_000 })
  const sent = [
    { value: 'a', coordinates },
    { value: 'later', coordinates: undefined },
  ]
  for (const one of sent) expect(encoder.add(one, 5)).toBe(true)
  const decoder = makeFrameDecoder(type)
  const size = decoder.open(encoder.finish())
  expect(Array.from({ length: size }, (_, at) => decoder.value(at))).toEqual(sent)
  const keys = sent.map(one => partitioner.kind === 'key' && partitioner.selector(one))
  expect(keys).toEqual([1, 5])
})

test('an edge that divides by no key has the same partitioner', () => {
  const rebalance = { ...edgeOf({ kind: 'rebalance' }), isLocated: true }
  expect(wireOf(rebalance).partitioner).toBe(rebalance.partitioner)
})
