import { expect, test } from '@jest/globals'
import type { JobEdge, JobGraph } from '../../../src/graph/job-graph.ts'
import { RemoteGate } from '../../../src/runtime/network/remote-gate.ts'
import { RecordBatch } from '../../../src/runtime/network/stream-item.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { edgeOf } from './edge-fixture.ts'
import { textType } from './frames-fixture.ts'
import { Slots } from './slots-fixture.ts'

const edge: JobEdge = { ...edgeOf({ kind: 'rebalance' }), type: textType }
const graph = { edges: [edge] } as unknown as JobGraph

/**
 * Bytes of the largest of the last frames that a slow task takes, of records of 1,000 bytes each. One in
 * three may be what the buffer timeout found in an open frame.
 */
async function sizesOf(enabled: boolean): Promise<number> {
  const clock = new ManualClock()
  const debloat = { enabled, targetMs: 200 }
  const slots = await Slots.start({ graph, clock, settings: { debloat } })
  try {
    const output = slots.exchange(0).output(edge, 0, 1)
    const input = slots.exchange(1).input(edge, 0, 1)
    let full = false
    output.listen({
      whenFull: () => {
        full = true
      },
      whenFree: () => {
        full = false
      },
      whenBarrierLeft: () => {},
    })
    await slots.connected()
    const sizes: number[] = []
    for (let tick = 0; tick < 300; tick++) {
      while (!full) output.send(new RecordBatch(['x'.repeat(1_000), 0], 1))
      await slots.settle()
      const item = input.poll()
      if (item?.kind === 'records') sizes.push(item.size * 1_000)
      clock.advance(200)
    }
    return Math.max(...sizes.slice(-3))
  } finally {
    await slots.stop()
  }
}

test('a slow task is sent smaller frames, where that is wanted', async () => {
  // A frame each 200 ms, and at least two on their way: half of each is the work of 200 ms.
  expect(await sizesOf(false)).toBeGreaterThan(30_000)
  expect(await sizesOf(true)).toBeLessThan(20_000)
})

test('a gate without anything waiting leaves frames as they are', () => {
  const gate = new RemoteGate(0, textType, {
    bufferTimeoutMs: 5,
    exclusiveCredits: 1,
    floatingCredits: 0,
    frameBytes: 32_768,
    silenceMs: 1_000,
    debloat: { enabled: true, targetMs: 1_000 },
  })
  const resized: number[] = []
  const line = {
    add: () => {},
    grant: () => {},
    resize: (_index: number, size: number) => resized.push(size),
  }
  gate.connect(line as never)
  for (let i = 0; i < 100; i++) gate.sample(200)
  expect(resized).toEqual([])
})
