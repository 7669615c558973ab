/** Vectors of a keyed process function with timers of both kinds. */
import { OperatorHarness } from '../../src/testing/operator-harness.ts'
import { runTimerOp, type TimerElement, timerFunction } from './timer-vectors.ts'
import { groupNeighbours, type Row, runCase, type VectorCase } from './vectors.ts'

export async function run(line: unknown): Promise<string | undefined> {
  const harness = await OperatorHarness.open({
    operator: { kind: 'keyed-process', fn: timerFunction as never },
    keySelectors: [(element: TimerElement) => element.key],
  })
  return runCase(line as VectorCase, op => runTimerOp(harness, op), normalize)
}

/** Timers of one time fire in any order over the keys. */
function normalize(rows: readonly Row[]): unknown {
  const groups = groupNeighbours(rows, ([kind, , origin, domain, time]) =>
    kind === 'r' && origin === 't' ? JSON.stringify([domain, time]) : undefined,
  )
  return groups.map(group => group.toSorted((a, b) => compareText(String(a[5]), String(b[5]))))
}

/** Keeps the rows of one key in order: the sort is stable. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
