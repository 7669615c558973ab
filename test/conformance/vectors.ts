/** What the runners of the operator suites share: times, cases, and comparing rows. */
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../src/common/timestamps.ts'
import type { OperatorHarness } from '../../src/testing/operator-harness.ts'

/** A row as in the vectors: its kind, then its values. */
export type Row = readonly unknown[]
export type Op = readonly [kind: string, ...values: unknown[]]

export interface VectorCase {
  readonly case: number
  readonly ops: readonly Op[]
  /** Per op: its rows, or 0 for none. */
  readonly out: readonly (0 | readonly Row[])[]
}

/** A time of a vector: `null` (no timestamp) and "MIN" are the same to an operator. */
export function timeOf(value: unknown): number {
  if (value === 'MAX') return MAX_TIMESTAMP
  return value === null || value === 'MIN' ? MIN_TIMESTAMP : Number(value)
}

/** The same the other way round, for watermarks and the greatest timestamps of windows. */
export function timeRow(time: number): unknown {
  if (time === MAX_TIMESTAMP) return 'MAX'
  return time === MIN_TIMESTAMP ? 'MIN' : time
}

/** The timestamp that a record carries. */
export function timestampRow(time: number): unknown {
  return time === MIN_TIMESTAMP ? null : timeRow(time)
}

/** What a runner does with one op; returns the rows of the op. */
export type RunOp = (op: Op) => Row[] | Promise<Row[]>

/** Brings rows into a form in which equal lists of rows are equal texts. */
export type Normalize = (rows: readonly Row[]) => unknown

/** Runs a case; `undefined` when it passes, else what differs. */
export async function runCase(
  vector: VectorCase,
  runOp: RunOp,
  normalize: Normalize,
): Promise<string | undefined> {
  for (const [index, op] of vector.ops.entries()) {
    const wantedRows = vector.out[index] || []
    const fails = wantedRows.some(([kind]) => kind === 'x')
    let rows: Row[]
    try {
      rows = await runOp(op)
    } catch (error) {
      if (fails) return undefined
      return `op ${index} ${JSON.stringify(op)}: ${(error as Error).stack}`
    }
    const wanted = JSON.stringify(normalize(wantedRows))
    const got = JSON.stringify(normalize(rows))
    if (fails || got !== wanted) {
      return `op ${index} ${JSON.stringify(op)}:\n    wanted ${wanted}\n    got    ${got}`
    }
  }
  return undefined
}

/** The ops that most suites share: the watermark and the clock. */
export function runSharedOp(harness: OperatorHarness, [kind, time]: Op): void {
  if (kind === 'w') harness.processWatermark(timeOf(time))
  else if (kind === 'p') harness.setProcessingTime(timeOf(time))
  else throw new Error(`no such op: ${kind}`)
}

/** As texts in a fixed order: lists with the same rows, however ordered, become equal. */
export function sorted(rows: readonly Row[]): string[] {
  return rows.map(row => JSON.stringify(row)).toSorted()
}

/** Cuts a list where the group of a row changes; `undefined` makes a group of its own. */
export function groupNeighbours<T>(
  rows: readonly T[],
  groupOf: (row: T) => string | undefined,
): readonly (readonly T[])[] {
  const groups: T[][] = []
  let last: string | undefined
  for (const row of rows) {
    const group = groupOf(row)
    if (group !== undefined && group === last) groups.at(-1)?.push(row)
    else groups.push([row])
    last = group
  }
  return groups
}
