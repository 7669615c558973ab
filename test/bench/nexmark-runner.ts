/** Runs one Nexmark query in this process and measures it from the first event to the sink's end. */
import { cpuUsage } from 'node:process'
import { defaultSettings } from '../../src/cluster/job-settings.ts'
import { type LocalJobOptions, runLocalJob } from '../../src/cluster/local-job.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { type NexmarkRun, nexmarkJob } from '../../src/examples/nexmark/nexmark-job.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'

export interface NexmarkFigures {
  readonly count: number
  readonly elapsedMs: number
  readonly cpuMs: number
}

export interface NexmarkOptions extends NexmarkRun {
  readonly parallelism: number
  readonly state: 'heap' | 'rocksdb'
}

export async function runNexmark(options: NexmarkOptions): Promise<NexmarkFigures> {
  const { parallelism, state, ...run } = options
  // Prepares the bytes, if any: before the clock starts.
  const graph = planJob(nexmarkJob(run), { parallelism })
  const job: LocalJobOptions = {
    graph,
    jobId: `nexmark-${run.query}`,
    store: undefined,
    restore: { kind: 'none' },
    settings: { ...defaultSettings, stateBackend: { type: state, options: {} } },
    clock: new SystemClock(),
    random: new SeededRandom(1),
  }
  const cpuBefore = cpuUsage()
  const before = performance.now()
  const result = await runLocalJob(job).done
  const elapsedMs = performance.now() - before
  const cpu = cpuUsage(cpuBefore)
  if (result.outcome !== 'finished') throw result.error
  return { count: run.count, elapsedMs, cpuMs: (cpu.user + cpu.system) / 1_000 }
}
