/** A running job under the REST API: an unbounded datagen with keyed state. */

import { z } from 'zod'
import { job } from '../../../../src/api/job.ts'
import { defaultSettings } from '../../../../src/cluster/job-settings.ts'
import type { ObservedJob } from '../../../../src/cluster/jobmanager/rest/observed-job.ts'
import { runLocalJob } from '../../../../src/cluster/local-job.ts'
import { SystemClock } from '../../../../src/common/clock.ts'
import { SeededRandom } from '../../../../src/common/random.ts'
import { blackhole } from '../../../../src/connectors/blackhole/blackhole-sink.ts'
import { datagen } from '../../../../src/connectors/datagen/datagen-source.ts'
import { sequence } from '../../../../src/connectors/datagen/generators.ts'
import { planJob } from '../../../../src/graph/build-job-graph.ts'
import { record } from '../../../../src/schema/record.ts'
import { MemoryStore } from '../../../../src/storage/memory-store.ts'

export interface ObservedTestOptions {
  readonly args?: Readonly<Record<string, string>>
  /** Fails once at this record. */
  readonly failAt?: number
  readonly store?: MemoryStore
  /** Only checkpoints that are asked for. */
  readonly isQuiet?: boolean
}

export function observedTestJob(options: ObservedTestOptions = {}): ObservedJob {
  const { args = {}, failAt = -1, store = new MemoryStore(), isQuiet = false } = options
  const Tick = record({ id: z.int() })
  let failed = false
  const ticks = job('ticks', env => {
    env
      .from(datagen({ type: Tick, ratePerSecond: 2_000, fields: { id: sequence() } }))
      .uid('ticks')
      .map(tick => {
        if (tick.id === failAt && !failed) {
          failed = true
          throw new Error('odd tick')
        }
        return tick
      })
      .returns(Tick)
      .keyBy(tick => tick.id % 7)
      .process({
        output: Tick,
        processElement(tick, _context, out) {
          out.collect(tick)
        },
      })
      .uid('pass')
      .to(blackhole())
      .uid('out')
  })
  const planAt = (parallelism: number) => planJob(ticks, { name: 'ticks', parallelism, args })
  const graph = planAt(2)
  const settings = {
    ...defaultSettings,
    checkpoint: { ...defaultSettings.checkpoint, intervalMs: isQuiet ? undefined : 20 },
    restart: { ...defaultSettings.restart, initialDelayMs: 0 },
  }
  const jobId = 'default.ticks'
  const clock = new SystemClock()
  const running = runLocalJob({
    graph,
    planAt,
    jobId,
    store,
    restore: { kind: 'none' },
    settings,
    clock,
    random: new SeededRandom(1),
  })
  return {
    job: running,
    jobId,
    settings,
    args,
    store,
    clock,
    version: '1.2.3',
    get graph() {
      return running.graph
    },
  }
}

/** Waits until the job has come so far. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
