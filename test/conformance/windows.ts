/** Vectors of keyed windows. */
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
  timestampRow,
  type VectorCase,
} from './vectors.ts'
import {
  type Element,
  elementOf,
  type Firing,
  makeWindowSpec,
  type WindowVector,
} from './window-vectors.ts'

export async function run(line: unknown): Promise<string | undefined> {
  const vector = line as WindowVector & VectorCase
  const firing: Firing = { timer: null }
  const harness = await OperatorHarness.open({
    operator: makeWindowSpec(vector, firing),
    keySelectors: [(element: Element) => element.key],
  })
  return runCase(vector, op => runWindowOp(harness, op, firing), normalize)
}

/** Runs one op and gives its rows. */
export function runWindowOp(harness: OperatorHarness, op: Op, firing: Firing): Row[] {
  if (op[0] === 'e') {
    // Timers that are due by then fire after the element, at the end of the op.
    firing.timer = null
    harness.processElement(elementOf(op), timeOf(op[2]))
  } else {
    firing.timer = Number.NaN
    runSharedOp(harness, op)
  }
  return rowsOf(harness)
}

function rowsOf(harness: OperatorHarness): Row[] {
  return harness.takeOutput().map(out => {
    switch (out.kind) {
      case 'record':
        return ['r', timeRow(out.timestamp), ...(out.value as Row)]
      case 'side-output':
        return ['l', timestampRow(out.timestamp), (out.value as Element).id]
      case 'watermark':
        return ['w', timeRow(out.watermark)]
      case 'status':
        return [out.status]
    }
  })
}

const TIMER = 7

/** Results of one timer are in any order; late elements may stand anywhere among the results. */
function normalize(rows: readonly Row[]): unknown {
  const late = rows.filter(([kind]) => kind === 'l')
  const others = rows.filter(([kind]) => kind !== 'l')
  const groups = groupNeighbours(others, row => (row[0] === 'r' ? String(row[TIMER]) : undefined))
  return { late, groups: groups.map(sorted) }
}
