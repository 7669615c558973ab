/** One seed, one run: the whole cluster in one thread, judged by the checkers. */
import { SeededRandom } from '../../common/random.ts'
import { Checkers, type Violation } from './checkers.ts'
import { Ledger } from './ledger.ts'
import type { Protection } from './protections.ts'
import { hasRescales, rescalesOf } from './rescales.ts'
import { drawScenario, type Scenario } from './scenario.ts'
import { Scheduler } from './scheduler.ts'
import { SimCluster } from './sim-cluster.ts'
import { SimDisk } from './sim-store.ts'
import { hasSlices, slicesOf } from './slices.ts'
import { STORM_EVERY, stormOf } from './storm.ts'
import { TraceLog } from './trace-log.ts'

export interface SeedOptions {
  readonly seed: number
  readonly trace?: boolean
  /** Protections that are switched off: the run should fail. */
  readonly off?: readonly Protection[]
}

export interface SeedResult {
  readonly seed: number
  readonly scenario: Scenario
  readonly violations: readonly Violation[]
  /** Empty unless asked for. */
  readonly trace: readonly string[]
  readonly steps: number
  /** Checkpoints that completed. */
  readonly completed: number
  /** Jobmanagers that were started. */
  readonly jobManagers: number
}

/** Far beyond what any run needs; the second is that of a storm. */
const STEPS_MAX = 40_000
const STORM_STEPS_MAX = 400_000
const JOB_ID = 'bank'

function turned(calm: Scenario, seed: number, { random }: Scheduler): Scenario {
  if (seed % STORM_EVERY === 0) return stormOf(calm, random)
  return hasSlices(seed) ? slicesOf(calm, random) : calm
}

export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const { seed, trace = false, off = [] } = options
  const log = new TraceLog(trace)
  const scheduler = new Scheduler(seed, log)
  const calm = drawScenario(scheduler.random)
  const isStorm = seed % STORM_EVERY === 0
  const unscaled = turned(calm, seed, scheduler)
  // Drawn apart: a seed without rescales is the run that it was.
  const scenario = hasRescales(seed) ? rescalesOf(unscaled, new SeededRandom(seed)) : unscaled
  const { bank, mode, retained, slices } = scenario
  const inAnyOrder = slices && scenario.alignment.kind !== 'aligned'
  const sizeOf = (transaction: string): number => ledger.sizeOf(transaction)
  const rules = { bank, mode, slices, inAnyOrder }
  const checkers = new Checkers({ ...rules, scheduler, jobId: JOB_ID, retained, sizeOf })
  const switchedOff = new Set(off)
  const ledger = new Ledger(!switchedOff.has('idempotent-commit'), transaction =>
    checkers.committed(transaction),
  )
  const disk = new SimDisk(
    (key, bytes) => {
      checkers.stored(key, bytes)
      if (!key.endsWith('.state')) cluster.wrote()
    },
    key => checkers.removed(key),
  )
  checkers.watch(disk.objects)
  const world = { scheduler, scenario, bank, jobId: JOB_ID, disk, ledger, checkers }
  const cluster = new SimCluster({ ...world, off: switchedOff })
  try {
    const isOver = await cluster.run(isStorm ? STORM_STEPS_MAX : STEPS_MAX)
    if (isOver) checkers.finish(ledger.committed)
    else checkers.found('nothing-stuck', `not over after ${scheduler.steps} steps`)
  } catch (error) {
    checkers.found('invariants-hold', (error as Error).message)
  }
  return {
    seed,
    scenario,
    violations: checkers.violations,
    trace: log.lines,
    steps: scheduler.steps,
    completed: checkers.completedCount,
    jobManagers: cluster.jobManagers,
  }
}
