import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const POLL_MS = 50
/** A lock without an owner's number after so many looks belongs to one that died in between. */
const NAMELESS_LOOKS = 40

/** Does the work while no other process does work under the same folder name. */
export async function holdLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(folder), { recursive: true })
  let nameless = 0
  while (!(await take(folder))) {
    const owner = Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => '0'))
    nameless = owner === 0 ? nameless + 1 : 0
    const isDead = owner === 0 ? nameless > NAMELESS_LOOKS : !isAlive(owner)
    if (isDead) await rm(folder, { recursive: true, force: true })
    else await pause(POLL_MS)
  }
  try {
    return await work()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function take(folder: string): Promise<boolean> {
  try {
    await mkdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  await writeFile(join(folder, 'pid'), String(process.pid))
  return true
}

/** True while a process of this number runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
