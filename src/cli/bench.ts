/** `weir bench`: figures with ratios, each against something run in the same minute. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { nodeFlags } from '../common/node-flags.ts'
import { cliErrors } from './cli-errors.ts'
import type { CliIo } from './cli-io.ts'
import { findInstallation } from './installation.ts'
import { runInherited } from './run-inherited.ts'

/** As `weir run` has them, plus what the harness needs to begin each round without old garbage. */
const flags = [
  '--expose-gc',
  ...nodeFlags,
  '--conditions=weir-source',
  '--disable-warning=ExperimentalWarning',
  // Of kafkajs, against which Kafka is measured.
  '--disable-warning=TimeoutNegativeWarning',
]

/** The arguments go to the benchmark as they are: `[NAME] [--list] [--json] …`. */
export async function bench(args: readonly string[], io: CliIo): Promise<number> {
  const { home } = findInstallation()
  const runner = join(home, 'test/bench/run-bench.ts')
  if (!existsSync(runner)) throw cliErrors.WEIR_TOOL_MISSING({ verb: 'bench', file: runner })
  // In the caller's folder: a benchmark may write files that its arguments name.
  return await runInherited(io, { args: [...flags, runner, ...args], cwd: io.cwd, env: {} })
}
