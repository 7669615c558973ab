/**
 * `weir run FILE --testbed`: starts a real Kafka broker and a real S3 server, makes the topics and
 * the bucket that the manifest names, then runs it against them.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { nodeFlags } from '../common/node-flags.ts'
import { cliErrors } from './cli-errors.ts'
import type { CliIo } from './cli-io.ts'
import { findInstallation } from './installation.ts'
import { runInherited } from './run-inherited.ts'

export interface RunOnTestbedOptions {
  /** The manifest. */
  readonly file: string
  /** The whole command line, from `run` on. */
  readonly args: readonly string[]
}

/** What the testbed says of itself. */
interface Prepared {
  readonly environment: Readonly<Record<string, string>>
  readonly set: readonly string[]
}

/** Of kafkajs, and of Node about its own age. */
const quiet = ['ExperimentalWarning', 'TimeoutNegativeWarning'].map(
  name => `--disable-warning=${name}`,
)

/** Gives the exit code of the run. */
export async function runOnTestbed(options: RunOnTestbedOptions, io: CliIo): Promise<number> {
  const { home } = findInstallation()
  const runner = join(home, 'test/testbed/run-testbed.ts')
  if (!existsSync(runner)) {
    throw cliErrors.WEIR_TOOL_MISSING({ verb: 'run --testbed', file: runner })
  }
  const file = resolve(io.cwd, options.file)
  const { environment, set } = await prepare(io, [...quiet, runner, 'prepare', file])
  const own = options.args.filter(arg => arg !== '--testbed')
  const args = [...own, ...set.flatMap(field => ['--set', field])]
  // In a process of its own: credentials are read from the environment.
  const weir = join(home, 'dist/bin/weir.js')
  return await runInherited(io, {
    args: [...nodeFlags, ...quiet, weir, ...args],
    cwd: io.cwd,
    env: environment,
  })
}

function prepare(io: CliIo, args: readonly string[]): Promise<Prepared> {
  return new Promise((resolve, reject) => {
    const env = io.environment as NodeJS.ProcessEnv
    const child = execFile(io.nodePath, args, { env }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Prepared)
      else reject(cliErrors.WEIR_TESTBED_FAILED({ reason: stderr.trim() }))
    })
    child.stderr?.on('data', (text: string) => io.err.write(text))
  })
}
