/** Nexmark queries as something to run: measured from the first event to the sink's end. */
import { type NexmarkRun, nexmarkJob } from '../../src/examples/nexmark/nexmark-job.ts'
import { type RunFigures, runToEnd } from './run-to-end.ts'

export interface NexmarkFigures extends RunFigures {
  readonly count: number
}

export interface NexmarkOptions extends NexmarkRun {
  readonly parallelism: number
  readonly state: 'heap' | 'rocksdb'
}

/** Encodes the input, if it is to be bytes; each call of the result runs the query over it. */
export function prepareNexmark(options: NexmarkOptions): () => Promise<NexmarkFigures> {
  const { parallelism, state, ...run } = options
  const made = nexmarkJob(run)
  return async () => ({ ...(await runToEnd(made, { parallelism, state })), count: run.count })
}
