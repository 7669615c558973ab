/**
 * One folder for what the tests of a run leave behind: `os.tmpdir()` points there, also in the
 * processes that tests start, and the folder goes with the run.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from './hold-lock.ts'

const PREFIX = 'weir-test-'

/** What failed and killed runs left is looked at soon or never. */
const KEPT_MS = 24 * 3_600_000

/** Called once, before the tests. Removes what earlier runs left, too. */
export function openScratchRoot(): string {
  const above = tmpdir()
  for (const name of readdirSync(above)) {
    const owner = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length)) : Number.NaN
    if (!Number.isInteger(owner) || isAlive(owner)) continue
    const folder = join(above, name)
    const { mtimeMs = Date.now() } = statSync(folder, { throwIfNoEntry: false }) ?? {}
    if (Date.now() - mtimeMs > KEPT_MS) remove(folder)
  }
  const folder = join(above, `${PREFIX}${process.pid}`)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Called once, after tests that all passed. */
export function closeScratchRoot(folder: string): void {
  remove(folder)
}

/** Another run may be removing the same; what cannot be removed costs space only. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  } catch {}
}
