/** Vectors of windows and timers that are snapshotted and restored at another parallelism. */
import type { HarnessOptions } from '../../src/testing/operator-harness.ts'
import { OperatorHarness } from '../../src/testing/operator-harness.ts'
import { runTimerOp, timerFunction } from './timer-vectors.ts'
import { type Op, type Row, runCase, sorted, type VectorCase } from './vectors.ts'
import { type Firing, makeWindowSpec, type WindowVector } from './window-vectors.ts'
import { runWindowOp } from './windows.ts'

type RescaleVector = VectorCase &
  WindowVector & {
    readonly operator: 'window' | 'timers'
    readonly maxParallelism: number
    readonly parallelism: number
  }

export async function run(line: unknown): Promise<string | undefined> {
  const vector = line as RescaleVector
  const firing: Firing = { timer: null }
  const isWindow = vector.operator === 'window'
  const options: HarnessOptions = {
    operator: isWindow
      ? makeWindowSpec(vector, firing)
      : { kind: 'keyed-process', fn: timerFunction as never },
    keySelectors: [({ key }: { readonly key: string }) => key],
    maxParallelism: vector.maxParallelism,
    parallelism: vector.parallelism,
  }
  let harness = await OperatorHarness.open(options)
  const runOp = async (op: Op): Promise<Row[]> => {
    if (op[0] !== 's') {
      return isWindow ? runWindowOp(harness, op, firing) : runTimerOp(harness, op)
    }
    harness = await harness.restart(op[1] as number)
    return []
  }
  return runCase(vector, runOp, normalize)
}

/** The rows of all subtasks together, without the watermarks that each sends on. */
function normalize(rows: readonly Row[]): unknown {
  return sorted(rows.filter(([kind]) => kind !== 'w'))
}
