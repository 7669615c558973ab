import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { IntervalJoinFunction } from '../../../src/api/functions.ts'
import { MAX_TIMESTAMP } from '../../../src/common/timestamps.ts'
import { IntervalJoinOperator } from '../../../src/runtime/operators/interval-join-operator.ts'
import { OperatorHarness } from '../../../src/testing/operator-harness.ts'
import { testContext } from './test-context.ts'

interface Order {
  readonly key: number
  readonly id: number
}

const pair: IntervalJoinFunction<Order, Order, string> = {
  processPair(left, right, context, out) {
    out.collect(`${left.id}-${right.id} ${context.leftTimestamp} ${context.rightTimestamp}`)
  },
}

interface Bounds {
  readonly lowerMs: number
  readonly upperMs: number
  readonly lowerInclusive: boolean
  readonly upperInclusive: boolean
}

function specOf(bounds: Bounds) {
  return {
    kind: 'interval-join',
    ...bounds,
    leftLateTag: { id: 'late-left', type: undefined },
    rightLateTag: undefined,
    fn: pair as never,
  } as const
}

function open(bounds: Bounds): Promise<OperatorHarness> {
  const keyOf = (order: Order): number => order.key
  return OperatorHarness.open({ operator: specOf(bounds), keySelectors: [keyOf, keyOf] })
}

const wide: Bounds = { lowerMs: -5, upperMs: 10, lowerInclusive: true, upperInclusive: false }

describe('an interval join', () => {
  test('pairs what is within the bounds, whichever side comes first, at the greater time', async () => {
    const harness = await open(wide)
    harness.processElement({ key: 1, id: 1 }, 100, 0)
    for (const [id, time] of [
      [2, 94],
      [3, 95],
      [4, 109],
      [5, 110],
    ] as const) {
      harness.processElement({ key: 1, id }, time, 1)
    }
    harness.processElement({ key: 2, id: 6 }, 100, 1)
    harness.processElement({ key: 1, id: 7 }, 104, 0)
    expect(harness.takeOutput()).toMatchObject([
      { value: '1-3 100 95', timestamp: 100 },
      { value: '1-4 100 109', timestamp: 109 },
      { value: '7-4 104 109', timestamp: 109 },
      { value: '7-5 104 110', timestamp: 110 },
    ])
  })

  test('J1: a record below the watermark is late, one at the watermark is not', async () => {
    const harness = await open(wide)
    harness.processWatermark(50)
    harness.takeOutput()
    harness.processElement({ key: 1, id: 1 }, 49, 0)
    harness.processElement({ key: 1, id: 2 }, 49, 1)
    harness.processElement({ key: 1, id: 3 }, 50, 0)
    harness.processElement({ key: 1, id: 4 }, 50, 1)
    expect(harness.takeOutput()).toMatchObject([
      { kind: 'side-output', tag: 'late-left', value: { id: 1 } },
      { value: '3-4 50 50' },
    ])
    expect(harness.metrics().lateRecordsDropped).toBe(1)
  })

  test('J2: buffers are empty when no partner can come any more', async () => {
    const harness = await open(wide)
    harness.processElement({ key: 1, id: 1 }, 100, 0)
    harness.processElement({ key: 1, id: 2 }, 200, 1)
    const entries = harness.stateEntries()
    harness.processWatermark(108)
    expect(harness.stateEntries()).toBe(entries)
    harness.processWatermark(109)
    expect(harness.stateEntries()).toBeLessThan(entries)
    harness.processWatermark(205)
    expect(harness.stateEntries()).toBe(0)
  })

  test('a record without timestamp is an error', () => {
    const operator = new IntervalJoinOperator(
      testContext({ keySelectors: [() => 1, () => 1] }),
      specOf(wide),
    )
    void operator.open()
    expect(() => operator.inputs[0]?.({}, Number.NEGATIVE_INFINITY)).toThrow('interval join')
  })

  test('gives every pair once, as a nested loop would, with restarts in between', async () => {
    const element = fc.record({ key: fc.nat(2), time: fc.nat(30), side: fc.nat(1) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(element, { maxLength: 25, size: 'max' }),
        fc.integer({ min: -8, max: 8 }),
        fc.nat(8),
        async (elements, lowerMs, width) => {
          const bounds = { ...wide, lowerMs, upperMs: lowerMs + width, upperInclusive: true }
          let harness = await open(bounds)
          const expected: string[] = []
          for (const [id, { key, time, side }] of elements.entries()) {
            harness.processElement({ key, id }, time, side)
            for (let other = 0; other < id; other++) {
              const mate = elements[other] as (typeof elements)[0]
              if (mate.key !== key || mate.side === side) continue
              const [left, right] = side === 0 ? [id, other] : [other, id]
              const [leftTime, rightTime] = side === 0 ? [time, mate.time] : [mate.time, time]
              const distance = rightTime - leftTime
              if (distance < lowerMs || distance > lowerMs + width) continue
              expected.push(`${left}-${right} ${leftTime} ${rightTime}`)
            }
            if (id % 7 === 3) harness = await harness.restart(1 + (id % 3))
          }
          expect(harness.takeValues().map(String).toSorted()).toEqual(expected.toSorted())
          harness.processWatermark(MAX_TIMESTAMP)
          expect(harness.stateEntries()).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  })
})
