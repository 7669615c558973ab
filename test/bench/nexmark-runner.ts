/** Runs one Nexmark query in this process and measures it from the first event to the sink's end. */
import { type NexmarkRun, nexmarkJob } from '../../src/examples/nexmark/nexmark-job.ts'
import { type RunFigures, runToEnd } from './run-to-end.ts'

export interface NexmarkFigures extends RunFigures {
  readonly count: number
}

export interface NexmarkOptions extends NexmarkRun {
  readonly parallelism: number
  readonly state: 'heap' | 'rocksdb'
}

export async function runNexmark(options: NexmarkOptions): Promise<NexmarkFigures> {
  const { parallelism, state, ...run } = options
  return { ...(await runToEnd(nexmarkJob(run), { parallelism, state })), count: run.count }
}
