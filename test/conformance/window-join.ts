/** Vectors of window join and coGroup. */
import type { CoGroupFunction, JoinFunction } from '../../src/api/functions.ts'
import type { WindowSpec } from '../../src/api/transformation.ts'
import { OperatorHarness } from '../../src/testing/operator-harness.ts'
import {
  groupNeighbours,
  type Op,
  type Row,
  runCase,
  runSharedOp,
  sorted,
  timeOf,
  timeRow,
  type VectorCase,
} from './vectors.ts'
import { type AssignerVector, type Element, makeAssigner } from './window-vectors.ts'

interface JoinVector extends VectorCase {
  readonly kind: 'join' | 'coGroup'
  readonly assigner: AssignerVector
  readonly lateness?: number
}

const join: JoinFunction<Element, Element, Row> = (left, right) => [left.key, left.id, right.id]

const idsOf = (elements: readonly Element[]): number[] => elements.map(({ id }) => id)

const group: CoGroupFunction<Element, Element, Row> = (left, right, out) => {
  const [any] = [...left, ...right]
  out.collect([any?.key, idsOf(left), idsOf(right)])
}

export async function run(line: unknown): Promise<string | undefined> {
  const vector = line as JoinVector
  const window: WindowSpec = {
    assigner: makeAssigner(vector.assigner),
    trigger: undefined,
    evictor: undefined,
    allowedLatenessMs: vector.lateness ?? 0,
    lateTag: undefined,
  }
  const keyOf = (element: Element): string => element.key
  const harness = await OperatorHarness.open({
    operator:
      vector.kind === 'join'
        ? { kind: 'window-join', window, fn: join as never }
        : { kind: 'window-co-group', window, fn: group as never },
    keySelectors: [keyOf, keyOf],
  })
  const isSession = vector.assigner.kind === 'session'
  return runCase(
    vector,
    op => runOp(harness, op),
    rows => normalize(rows, isSession),
  )
}

function runOp(harness: OperatorHarness, op: Op): Row[] {
  const [kind, key, time, id] = op
  if (kind === 'l' || kind === 'r') {
    harness.processElement({ key, id } as Element, timeOf(time), kind === 'l' ? 0 : 1)
  } else {
    // Both streams have the same watermarks: the operator sends each on once.
    runSharedOp(harness, op)
  }
  return harness.takeOutput().map(out => {
    if (out.kind === 'watermark') return ['w', timeRow(out.watermark)]
    if (out.kind === 'record') return ['r', timeRow(out.timestamp), ...(out.value as Row)]
    throw new Error(`unexpected output: ${out.kind}`)
  })
}

/** Results of one time are in any order; the elements of a session too. */
function normalize(rows: readonly Row[], isSession: boolean): unknown {
  const plain = isSession ? rows.map(row => row.map(sortedIds)) : rows
  const groups = groupNeighbours(plain, row => (row[0] === 'r' ? String(row[1]) : undefined))
  return groups.map(sorted)
}

function sortedIds(item: unknown): unknown {
  return Array.isArray(item) ? (item as number[]).toSorted((a, b) => a - b) : item
}
