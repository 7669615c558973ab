import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { JobEdge, JobGraph } from '../../../src/graph/job-graph.ts'
import type { InFlightItem } from '../../../src/runtime/network/channel.ts'
import { makePieceDecoder } from '../../../src/runtime/network/frame-pieces.ts'
import type { NetworkSettings } from '../../../src/runtime/network/network-settings.ts'
import { RecordBatch } from '../../../src/runtime/network/stream-item.ts'
import { typeOf } from '../../../src/schema/type-of.ts'
import { z } from '../../../src/schema/z.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { barrierOf, type ChannelPair, channelContract } from '../../contract/channel.ts'
import { edgeOf } from './edge-fixture.ts'
import { Slots } from './slots-fixture.ts'

const numbers: JobEdge = {
  ...edgeOf({ kind: 'rebalance' }),
  type: typeOf(z.int()) as JobEdge['type'],
}
const texts: JobEdge = {
  ...edgeOf({ kind: 'rebalance' }),
  id: 'texts',
  type: typeOf(z.string()) as JobEdge['type'],
}
const graph = { edges: [numbers, texts] } as unknown as JobGraph

interface OpenPair extends ChannelPair {
  readonly slots: Slots
}

async function open(
  edge: JobEdge,
  transport: 'unix' | 'tcp',
  settings: Partial<NetworkSettings> = {},
): Promise<OpenPair> {
  const clock = new ManualClock(1_000)
  const slots = await Slots.start({ graph, transport, settings, clock })
  const [a, b] = [slots.exchange(0), slots.exchange(1)]
  const [output, input] = [a.output(edge, 0, 1), b.input(edge, 0, 1)]
  await slots.connected()
  return {
    slots,
    output,
    input,
    settle: async () => {
      clock.advance(10)
      await slots.settle()
    },
    numbersOf: items => {
      const decode = makePieceDecoder(edge.type)
      return items.flatMap(item => {
        const batch = item.kind === 'frame' ? decode(item) : undefined
        return batch === undefined ? [] : (valuesIn(batch) as number[])
      })
    },
    close: () => slots.stop(),
  }
}

function valuesIn(batch: RecordBatch): unknown[] {
  return Array.from({ length: batch.size }, (_, i) => batch.items[i * 2])
}

describe.each(['unix', 'tcp'] as const)('as every channel, over %s', transport => {
  let run = 0
  channelContract(() => {
    run++
    // Few credits and small frames: much waits, and a batch takes several frames.
    const exclusiveCredits = 1 + (run % 3)
    const settings = { exclusiveCredits, floatingCredits: run % 4, frameBytes: 100 + run * 7 }
    return open(numbers, transport, settings)
  }, 60)
})

const unaligned = { kind: 'unaligned' } as const

/** What both ends kept, read as a restore would read it. */
function textsOf(items: readonly InFlightItem[]): unknown[] {
  const decode = makePieceDecoder(texts.type)
  const values = items.flatMap(item => {
    const batch = item.kind === 'frame' ? decode(item) : undefined
    return batch === undefined ? [] : valuesIn(batch)
  })
  return values
}

async function cutInTheMiddle(
  { output, input, settle }: OpenPair,
  lengths: readonly number[],
  polls: { readonly before: readonly boolean[]; readonly after: boolean },
): Promise<void> {
  const sent = lengths.map((length, i) => String(i).repeat(length))
  const polled: unknown[] = []
  const poll = (): void => {
    const item = input.poll()
    if (item?.kind === 'records') polled.push(...valuesIn(item))
  }
  for (const text of sent) output.send(new RecordBatch([text, 0], 1))
  for (const waits of polls.before) {
    if (waits) await settle()
    poll()
  }
  const overtaken = output.overtake(barrierOf(1, unaligned))
  await settle()
  if (polls.after) poll()
  expect(input.pollPriority()).toEqual({ barrier: barrierOf(1, unaligned), announced: false })
  const recorded = [...input.beginRecording(1), ...input.endRecording(1)]
  // No text in a message: they are large.
  const kept = [...polled, ...textsOf([...recorded, ...overtaken])]
  expect(kept.length === sent.length && kept.every((text, i) => text === sent[i])).toBe(true)
  for (let left = 2 * lengths.length; left > 0; left--) {
    await settle()
    poll()
  }
  expect(polled.length === sent.length && polled.every((text, i) => text === sent[i])).toBe(true)
}

test('a large record that a barrier overtook in the middle is whole in what both ends kept', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 4 })
  const polls = fc.array(fc.boolean(), { maxLength: 6 })
  const check = async (lengths: number[], before: boolean[], after: boolean): Promise<void> => {
    const pair = await open(texts, 'unix')
    try {
      await cutInTheMiddle(pair, lengths, { before, after })
    } finally {
      await pair.close()
    }
  }
  await fc.assert(fc.asyncProperty(sizes, polls, fc.boolean(), check), { numRuns: 40 })
})
