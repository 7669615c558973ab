/**
 * What the testbed fetches or builds, kept under the user's cache folder: one folder for each name,
 * which holds the version and a digest of what was asked for. A folder is there whole or not at all.
 */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { holdLock } from './hold-lock.ts'

/** The folder that everything of the testbed lies under. */
export function testbedFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'weir', 'testbed')
}

/** Gives the folder of that name; `make` fills it where it is not there yet. */
export async function installOnce(
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(testbedFolder(), name)
  if (existsSync(folder)) return folder
  return holdLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return folder
    const draft = `${folder}.draft`
    await rm(draft, { recursive: true, force: true })
    await mkdir(draft, { recursive: true })
    await make(draft)
    await rename(draft, folder)
    return folder
  })
}
