import { join } from 'node:path'
import { afterAll, beforeAll, describe } from '@jest/globals'
import { holdLock } from './hold-lock.ts'
import type { PartEnvironment, PartName } from './part.ts'
import { parts } from './parts.ts'
import { sharedPart } from './test-session.ts'
import { TestbedError } from './testbed-error.ts'

/** A block has these to itself: it installs things for all to see, and ends what others need. */
const usedAlone: ReadonlySet<PartName> = new Set(['kube'])
/** Those of all files before it, one after the other. */
const TURN_LIMIT_MS = 3_600_000

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
  if (found.length !== names.length) describe.skip(name, () => tests({}))
  else if (!names.some(one => usedAlone.has(one))) describe(name, () => tests(all))
  else {
    describe(name, () => {
      const turn = new Turn()
      beforeAll(() => turn.begin(), TURN_LIMIT_MS)
      tests(all)
      // Behind what the tests themselves do at their end.
      afterAll(() => turn.end())
    })
  }
}

/** Among the workers of a run. */
class Turn {
  readonly #over = Promise.withResolvers<void>()

  begin(): Promise<void> {
    const { WEIR_TESTBED_SESSION: session } = process.env
    if (session === undefined) return Promise.resolve()
    return new Promise((begun, fail) => {
      const turn = (): Promise<void> => {
        begun()
        return this.#over.promise
      }
      holdLock(join(session, 'alone.lock'), turn).catch(fail)
    })
  }

  end(): void {
    this.#over.resolve()
  }
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
