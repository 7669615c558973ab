import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../src/common/timestamps.ts'
import type { WatermarkStatus } from '../../src/runtime/stream-operator.ts'
import { WatermarkValve } from '../../src/runtime/watermark-valve.ts'

type Out = number | WatermarkStatus
/** Channel, what arrives, what leaves. */
type Step = readonly [channel: number, arrives: Out, leaves: readonly Out[]]

interface Case {
  readonly channels: number
  readonly steps: readonly Step[]
}

const cases: Record<string, Case> = {
  'one channel passes growing watermarks': {
    channels: 1,
    steps: [
      [0, 5, [5]],
      [0, 5, []],
      [0, 3, []],
      [0, 9, [9]],
    ],
  },
  'V2: the smallest channel counts': {
    channels: 3,
    steps: [
      [0, 5, []],
      [1, 7, []],
      [2, 6, [5]],
      [0, 10, [6]],
      [2, 12, [7]],
    ],
  },
  'an idle channel holds nothing back': {
    channels: 2,
    steps: [
      [0, 10, []],
      [1, 4, [4]],
      [1, 'idle', [10]],
      [0, 12, [12]],
    ],
  },
  'watermarks of an idle channel are not taken': {
    channels: 2,
    steps: [
      [0, 'idle', []],
      [0, 50, []],
      [1, 7, [7]],
      [0, 'active', []],
      [0, 20, []],
      [1, 15, [15]],
    ],
  },
  'when all turn idle the greatest watermark is flushed, then idle': {
    channels: 2,
    steps: [
      [0, 10, []],
      [1, 4, [4]],
      [0, 'idle', []],
      [1, 'idle', [10, 'idle']],
      [0, 'active', ['active']],
      [0, 11, [11]],
    ],
  },
  'FLINK-40475: the greatest is flushed whichever channel turned idle last': {
    channels: 3,
    steps: [
      [2, 2, []],
      [0, 'idle', []],
      [1, 3, [2]],
      [1, 'idle', []],
      [0, 'active', []],
      [2, 'idle', []],
      [0, 'idle', [3, 'idle']],
    ],
  },
  'FLINK-40475: a channel that turns active lets the watermark advance': {
    channels: 3,
    steps: [
      [1, 3, []],
      [0, 4, []],
      [2, 'idle', [3]],
      [0, 'idle', []],
      [2, 'active', []],
      [1, 'idle', []],
      [0, 'active', [4]],
    ],
  },
  'a channel that turns active behind the output waits until it has caught up': {
    channels: 2,
    steps: [
      [0, 'idle', []],
      [1, 30, [30]],
      [0, 'active', []],
      [0, 10, []],
      [1, 40, [40]],
      [0, 41, []],
      [1, 50, [41]],
    ],
  },
  'MAX leaves when every channel sent it': {
    channels: 2,
    steps: [
      [0, MAX_TIMESTAMP, []],
      [1, 7, [7]],
      [1, MAX_TIMESTAMP, [MAX_TIMESTAMP]],
    ],
  },
  'FLINK-38477: a finished channel does not outrun the idle ones': {
    channels: 3,
    steps: [
      [0, 5, []],
      [1, 8, []],
      [2, 2, [2]],
      [0, 'idle', []],
      [1, 'idle', []],
      [2, MAX_TIMESTAMP, [8, 'idle']],
      [0, 'active', ['active']],
      [0, 9, [9]],
      [0, MAX_TIMESTAMP, ['idle']],
      [1, MAX_TIMESTAMP, [MAX_TIMESTAMP]],
    ],
  },
  'an idle channel may end without turning active': {
    channels: 2,
    steps: [
      [0, 3, []],
      [1, 'idle', [3]],
      [1, MAX_TIMESTAMP, []],
      [0, 6, [6]],
      [0, MAX_TIMESTAMP, [MAX_TIMESTAMP]],
    ],
  },
}

test.each(Object.entries(cases))('%s', (_sentence, { channels, steps }) => {
  let out: Out[] = []
  const valve = new WatermarkValve(channels, {
    emitWatermark: watermark => out.push(watermark),
    emitStatus: status => out.push(status),
  })
  for (const [index, [channel, arrives, leaves]] of steps.entries()) {
    out = []
    if (typeof arrives === 'number') valve.watermarkOn(channel, arrives)
    else valve.statusOn(channel, arrives)
    expect([index, ...out]).toEqual([index, ...leaves])
  }
})

test('V1, V3, V4: watermarks only grow, statuses alternate, MAX comes last', () => {
  const step = fc.tuple(
    fc.nat(3),
    fc.oneof(
      { weight: 3, arbitrary: fc.nat(30) },
      fc.constantFrom<Out>('idle', 'active', MAX_TIMESTAMP),
    ),
  )
  const check = (steps: readonly (readonly [number, Out])[]): void => {
    let watermark = MIN_TIMESTAMP
    let status: WatermarkStatus = 'active'
    const valve = new WatermarkValve(4, {
      emitWatermark: next => {
        expect(next).toBeGreaterThan(watermark)
        watermark = next
      },
      emitStatus: next => {
        expect(next).not.toBe(status)
        status = next
      },
    })
    const ended = new Set<number>()
    for (const [channel, arrives] of steps) {
      if (ended.has(channel)) continue
      if (arrives === MAX_TIMESTAMP) ended.add(channel)
      if (typeof arrives === 'number') valve.watermarkOn(channel, arrives)
      else valve.statusOn(channel, arrives)
      expect(valve.watermark).toBe(watermark)
      expect(watermark === MAX_TIMESTAMP).toBe(ended.size === 4)
    }
  }
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), check), { numRuns: 500 })
})

test('names the channels that hold the watermark back', () => {
  const valve = new WatermarkValve(3, { emitWatermark: () => {}, emitStatus: () => {} })
  valve.watermarkOn(0, 10)
  valve.watermarkOn(2, 3)
  expect(valve.laggards()).toEqual([1])
  valve.watermarkOn(1, 5)
  expect(valve.laggards()).toEqual([2])
})
