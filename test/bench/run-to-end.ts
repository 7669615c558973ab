/** Runs a bounded job in this process, without a store, and measures it to the sink's end. */
import { cpuUsage } from 'node:process'
import { defaultSettings, type StateBackendSettings } from '../../src/cluster/job-settings.ts'
import { runLocalJob } from '../../src/cluster/local-job.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SeededRandom, SystemRandom } from '../../src/common/random.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import type { Job } from '../../src/index.ts'
import { openStore } from '../../src/storage/open-store.ts'

export interface RunFigures {
  readonly elapsedMs: number
  readonly cpuMs: number
  readonly checkpointsCompleted: number
}

export interface RunToEndOptions {
  readonly parallelism?: number
  readonly state?: StateBackendSettings['type']
  /** Checkpoints into a folder, each so many ms. */
  readonly checkpoints?: { readonly folder: string; readonly everyMs: number }
}

/** Building the graph is not timed. */
export async function runToEnd(made: Job, options: RunToEndOptions = {}): Promise<RunFigures> {
  const { parallelism = 1, state = 'heap', checkpoints } = options
  const random = new SeededRandom(1)
  const graph = planJob(made, { parallelism })
  const cpuBefore = cpuUsage()
  const before = performance.now()
  const job = runLocalJob({
    graph,
    jobId: 'bench',
    store:
      checkpoints && openStore({ location: `file://${checkpoints.folder}`, folder: '/', random }),
    restore: { kind: 'none' },
    // Another start than the last one in the same folder, which must not go on from it.
    run: new SystemRandom().uuid(),
    settings: {
      ...defaultSettings,
      checkpoint: { ...defaultSettings.checkpoint, intervalMs: checkpoints?.everyMs },
      stateBackend: { type: state, options: {} },
    },
    clock: new SystemClock(),
    random,
  })
  const result = await job.done
  const elapsedMs = performance.now() - before
  const cpu = cpuUsage(cpuBefore)
  if (result.outcome !== 'finished') throw result.error
  const checkpointsCompleted = job.progress().checkpointsCompleted
  return { elapsedMs, cpuMs: (cpu.user + cpu.system) / 1_000, checkpointsCompleted }
}
