/** `weir testbed`: starts and stops real parts, such as an S3 server, for tests and trials. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cliErrors } from './cli-errors.ts'
import type { CliIo } from './cli-io.ts'
import { findInstallation } from './installation.ts'
import { runInherited } from './run-inherited.ts'

export interface TestbedOptions {
  /** `up`, `down`, `status` or `load`. */
  readonly verb: string
  readonly part: string | undefined
  /** What `load` gives the part. */
  readonly file?: string | undefined
  readonly name?: string
  /** Where `up` lets the part listen. */
  readonly host?: string
  readonly json?: boolean
}

/** The parts are the tests' own: there are none in an installed package. */
export async function testbed(options: TestbedOptions, io: CliIo): Promise<number> {
  const { home } = findInstallation()
  const runner = join(home, 'test/testbed/run-testbed.ts')
  if (!existsSync(runner)) throw cliErrors.WEIR_TOOL_MISSING({ verb: 'testbed', file: runner })
  const { verb, part, file, name, host, json = false } = options
  const args = ['--disable-warning=ExperimentalWarning', runner, verb]
  for (const one of [part, file]) if (one !== undefined) args.push(one)
  if (name !== undefined) args.push('--name', name)
  if (host !== undefined) args.push('--host', host)
  if (json) args.push('--json')
  return await runInherited(io, { args, cwd: io.cwd, env: {} })
}
