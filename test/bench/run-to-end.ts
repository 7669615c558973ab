/** Runs a bounded job in this process, without a store, and measures it to the sink's end. */
import { cpuUsage } from 'node:process'
import { defaultSettings, type StateBackendSettings } from '../../src/cluster/job-settings.ts'
import { runLocalJob } from '../../src/cluster/local-job.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import type { Job } from '../../src/index.ts'

export interface RunFigures {
  readonly elapsedMs: number
  readonly cpuMs: number
}

export interface RunToEndOptions {
  readonly parallelism?: number
  readonly state?: StateBackendSettings['type']
}

/** Building the graph, which may prepare the input, is not timed. */
export async function runToEnd(job: Job, options: RunToEndOptions = {}): Promise<RunFigures> {
  const { parallelism = 1, state = 'heap' } = options
  const graph = planJob(job, { parallelism })
  const cpuBefore = cpuUsage()
  const before = performance.now()
  const result = await runLocalJob({
    graph,
    jobId: 'bench',
    store: undefined,
    restore: { kind: 'none' },
    settings: { ...defaultSettings, stateBackend: { type: state, options: {} } },
    clock: new SystemClock(),
    random: new SeededRandom(1),
  }).done
  const elapsedMs = performance.now() - before
  const cpu = cpuUsage(cpuBefore)
  if (result.outcome !== 'finished') throw result.error
  return { elapsedMs, cpuMs: (cpu.user + cpu.system) / 1_000 }
}
