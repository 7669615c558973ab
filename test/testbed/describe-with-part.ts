import { describe } from '@jest/globals'
import type { PartEnvironment, PartName } from './part.ts'
import { parts } from './parts.ts'
import { sharedPart } from './test-session.ts'
import { TestbedError } from './testbed-error.ts'

/**
 * A block of tests that need a real part, or several. Where the machine lacks what the part needs they are
 * skipped, each by its name; with CI=true that fails. Awaited at the top of a test file.
 */
export async function describeWithPart(
  name: string,
  part: PartName | readonly PartName[],
  tests: (environment: PartEnvironment) => void,
): Promise<void> {
  const found: PartEnvironment[] = []
  const names = [part].flat()
  for (const one of names) {
    const environment = await findPart(one)
    if (environment !== undefined) found.push(environment)
  }
  const all: PartEnvironment = Object.assign({}, ...found)
  if (found.length === names.length) describe(name, () => tests(all))
  else describe.skip(name, () => tests({}))
}

async function findPart(name: PartName): Promise<PartEnvironment | undefined> {
  const part = parts[name]
  const { [part.foundBy]: given, CI, WEIR_TESTBED_SESSION: session } = process.env
  if (given !== undefined) return process.env as PartEnvironment
  if (session === undefined) throw new Error('the tests were not started by ./weir test')
  try {
    return await sharedPart(session, part)
  } catch (error) {
    if (!(error instanceof TestbedError) || !error.isMissing || CI === 'true') throw error
    process.stderr.write(`tests that need ${part.title} are skipped: ${error}\n`)
    return undefined
  }
}
