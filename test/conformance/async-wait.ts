/** Vectors of the async operator: ordered and unordered, with timeouts. */
import type { AsyncFunction } from '../../src/api/functions.ts'
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

interface AsyncVector extends VectorCase {
  readonly mode: 'ordered' | 'unordered'
  readonly timeout: number
}

/** Requests stay open until the vector completes them; a timeout gives minus the element's id. */
class ManualRequests implements AsyncFunction<number, number> {
  readonly #open = new Map<number, (values: readonly number[]) => void>()

  invoke(id: number): Promise<readonly number[]> {
    return new Promise(resolve => this.#open.set(id, resolve))
  }

  timeout(id: number): readonly number[] {
    return [-id]
  }

  complete(id: number, values: readonly number[]): void {
    this.#open.get(id)?.(values)
  }
}

export async function run(line: unknown): Promise<string | undefined> {
  const vector = line as AsyncVector
  const ordered = vector.mode === 'ordered'
  const requests = new ManualRequests()
  const harness = await OperatorHarness.open({
    operator: {
      kind: 'async',
      fn: requests as never,
      options: { ordered, timeoutMs: vector.timeout, capacity: 1_000_000, retry: undefined },
    },
  })
  return runCase(vector, op => runOp(harness, op, requests), ordered ? rows => rows : normalize)
}

async function runOp(harness: OperatorHarness, op: Op, requests: ManualRequests): Promise<Row[]> {
  const [kind, first, second] = op
  if (kind === 'e') harness.processElement(second, timeOf(first))
  else if (kind === 'c') requests.complete(first as number, second as number[])
  else runSharedOp(harness, op)
  await harness.settle()
  return harness.takeOutput().map(out => {
    if (out.kind === 'watermark') return ['w', timeRow(out.watermark)]
    if (out.kind === 'record') return ['r', timeRow(out.timestamp), out.value]
    throw new Error(`unexpected output: ${out.kind}`)
  })
}

/** Unordered results are in any order between two watermarks. */
function normalize(rows: readonly Row[]): unknown {
  return groupNeighbours(rows, ([kind]) => (kind === 'r' ? 'results' : undefined)).map(sorted)
}
