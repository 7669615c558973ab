/** `weir test`: everything that can be proven here. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cliErrors } from './cli-errors.ts'
import type { CliIo } from './cli-io.ts'
import { findInstallation } from './installation.ts'
import { runInherited } from './run-inherited.ts'

export interface TestOptions {
  /** Part of the test files' paths; all when absent. */
  readonly pattern: string | undefined
  /** Also what takes minutes. */
  readonly long: boolean
}

/** Runs jest; its reporter ends with `N passed, N failed`. */
export async function test(options: TestOptions, io: CliIo): Promise<number> {
  const { home } = findInstallation()
  const jest = join(home, 'node_modules/jest/bin/jest.js')
  if (!existsSync(jest)) throw cliErrors.WEIR_TOOL_MISSING({ verb: 'test', file: jest })
  const args = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    jest,
    '--rootDir',
    home,
    ...(options.pattern === undefined ? [] : [options.pattern]),
  ]
  const env = options.long ? { WEIR_TEST_LONG: '1' } : {}
  return await runInherited(io, { args, cwd: home, env })
}
