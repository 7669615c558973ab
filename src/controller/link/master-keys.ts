/**
 * The master keys of the installation: keys of all jobs are derived of them. The file holds one a
 * line, the newest first; older ones are for jobs that were deployed with them.
 */
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { configErrors } from '../../common/config.ts'
import { messageOf } from '../../common/errors.ts'
import type { Random } from '../../common/random.ts'

const NAME = 'WEIR_MASTER_KEY_FILE'
const CHARS_MIN = 32
const EXPECTED = `a file with a key of ${CHARS_MIN} characters or more in each line`

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads `WEIR_MASTER_KEY_FILE`. Outside of a cluster it has a default, `weir/master-key` of the
 * user's configuration, which is made where it is missing. Throws WEIR_CONFIG_INVALID.
 */
export function readMasterKeys(environment: Environment, random: Random): readonly string[] {
  const named = environment[NAME] ?? ''
  const isInCluster = (environment.KUBERNETES_SERVICE_HOST ?? '') !== ''
  if (named !== '' || isInCluster) return readKeys(named)
  const folder = environment.XDG_CONFIG_HOME || join(homedir(), '.config')
  const file = join(folder, 'weir/master-key')
  makeKey(file, random)
  return readKeys(file)
}

function readKeys(file: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw invalid(file, `${EXPECTED}: ${messageOf(error)}`)
  }
  const keys = text.split('\n').flatMap(line => (line.trim() === '' ? [] : [line.trim()]))
  if (keys.length === 0 || keys.some(key => key.length < CHARS_MIN)) throw invalid(file, EXPECTED)
  return keys
}

/** Whole or not at all, and never in place of one that is there. */
function makeKey(file: string, random: Random): void {
  const draft = `${file}.${random.uuid()}`
  const key = `${random.uuid()}${random.uuid()}`.replaceAll('-', '')
  if (existsSync(file)) return
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(draft, `${key}\n`, { mode: 0o600 })
    linkSync(draft, file)
    rmSync(draft)
  } catch (error) {
    // Another controller made it at the same moment.
    if (!existsSync(file)) throw invalid(file, `a place for a key: ${messageOf(error)}`)
    rmSync(draft, { force: true })
  }
}

function invalid(value: string, expected: string): Error {
  return configErrors.WEIR_CONFIG_INVALID({ name: NAME, value, expected })
}
