/** Vectors of the interval join of two keyed streams. */
import type { IntervalJoinFunction } from '../../src/api/functions.ts'
import { OperatorHarness } from '../../src/testing/operator-harness.ts'
import {
  type Op,
  type Row,
  runCase,
  runSharedOp,
  sorted,
  timeOf,
  timeRow,
  type VectorCase,
} from './vectors.ts'

interface IntervalVector extends VectorCase {
  readonly lower: number
  readonly upper: number
  readonly lowerInclusive: boolean
  readonly upperInclusive: boolean
}

interface Element {
  readonly key: string
  readonly id: number
}

const pairs: IntervalJoinFunction<Element, Element, Row> = {
  processPair(left, right, context, out) {
    const { leftTimestamp, rightTimestamp, timestamp } = context
    out.collect([left.key, left.id, right.id, leftTimestamp, rightTimestamp, timestamp])
  },
}

export async function run(line: unknown): Promise<string | undefined> {
  const vector = line as IntervalVector
  const keyOf = (element: Element): string => element.key
  const harness = await OperatorHarness.open({
    operator: {
      kind: 'interval-join',
      lowerMs: vector.lower,
      upperMs: vector.upper,
      lowerInclusive: vector.lowerInclusive,
      upperInclusive: vector.upperInclusive,
      leftLateTag: { id: 'll', type: undefined },
      rightLateTag: { id: 'rl', type: undefined },
      fn: pairs as never,
    },
    keySelectors: [keyOf, keyOf],
  })
  return runCase(vector, op => runOp(harness, op), normalize)
}

function runOp(harness: OperatorHarness, op: Op): Row[] {
  const [kind, first, time, id] = op
  if (kind === 'l' || kind === 'r') {
    harness.processElement({ key: first, id } as Element, timeOf(time), kind === 'l' ? 0 : 1)
  } else if (kind === 'wl' || kind === 'wr') {
    harness.processWatermark(timeOf(first), kind === 'wl' ? 0 : 1)
  } else {
    runSharedOp(harness, op)
  }
  return harness.takeOutput().map(out => {
    switch (out.kind) {
      case 'record':
        return ['r', timeRow(out.timestamp), ...(out.value as Row)]
      case 'side-output':
        return [out.tag, timeRow(out.timestamp), (out.value as Element).id]
      case 'watermark':
        return ['w', timeRow(out.watermark)]
      case 'status':
        return [out.status]
    }
  })
}

/** Within one op rows are in any order, but for the watermarks among themselves. */
function normalize(rows: readonly Row[]): unknown {
  return {
    watermarks: rows.filter(([kind]) => kind === 'w'),
    others: sorted(rows.filter(([kind]) => kind !== 'w')),
  }
}
