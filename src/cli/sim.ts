/** `weir sim`: the checkpoint protocol under faults; each seed is a whole cluster in one thread. */
import {
  describeFailure,
  describeScenario,
  explainFailure,
  runSeeds,
} from '../testing/sim/replay.ts'
import { runSeed } from '../testing/sim/run-seed.ts'
import { type CliIo, exitCodes } from './cli-io.ts'

export interface SimOptions {
  readonly seeds: number
  readonly first: number
  /** Every step of every seed. */
  readonly trace: boolean
}

/** Ends with `N passed, M failed`. */
export async function sim(options: SimOptions, io: CliIo): Promise<number> {
  const { seeds, first, trace } = options
  const startedMs = io.clock.monotonic()
  const failed = trace ? await runTraced(options, io) : await runSilent(options, io)
  const seconds = (io.clock.monotonic() - startedMs) / 1_000
  const rate = Math.round((seeds / Math.max(seconds, 1e-3)) * 60)
  io.out.write(
    `seeds ${first} to ${first + seeds - 1} in ${seconds.toFixed(1)} s: ${rate} a minute\n`,
  )
  io.out.write(`${seeds - failed} passed, ${failed} failed\n`)
  return failed === 0 ? exitCodes.ok : exitCodes.failed
}

function runSilent({ seeds, first }: SimOptions, io: CliIo): Promise<number> {
  return runSeeds({
    first,
    count: seeds,
    onResult: async result => {
      if (result.violations.length > 0) io.out.write(await explainFailure(result))
    },
  })
}

async function runTraced({ seeds, first }: SimOptions, io: CliIo): Promise<number> {
  let failed = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const result = await runSeed({ seed, trace: true })
    io.out.write(describeScenario(result))
    io.out.write(`${result.trace.join('\n')}\n`)
    if (result.violations.length === 0) continue
    failed++
    // Its steps are above.
    io.out.write(describeFailure({ ...result, trace: [] }))
  }
  return failed
}
