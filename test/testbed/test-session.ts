/**
 * The parts that one run of the tests shares. The first test that needs a part starts it; all end
 * with the run, also when it is killed. Jest's workers find the session by the environment.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { holdLock, isAlive } from './hold-lock.ts'
import { testbedFolder } from './install-once.ts'
import type { Part, PartEnvironment } from './part.ts'
import { stopServer } from './server-process.ts'

const LOGS_KEPT_MS = 3 * 24 * 3_600_000

/** Called once, before the tests: gives the folder of the session. */
export function openSession(): string {
  const sessions = join(testbedFolder(), 'sessions')
  mkdirSync(sessions, { recursive: true })
  for (const name of readdirSync(sessions)) {
    const folder = join(sessions, name)
    const isOld = Date.now() - statSync(folder).mtimeMs > LOGS_KEPT_MS
    if (isOld && !isAlive(Number(name))) rmSync(folder, { recursive: true, force: true })
  }
  const folder = join(sessions, String(process.pid))
  rmSync(folder, { recursive: true, force: true })
  return folder
}

/** Called once, after the tests. With failures the logs stay, without the data. */
export async function closeSession(folder: string, failed: boolean): Promise<void> {
  for (const name of serversIn(folder)) {
    const server = join(folder, name)
    await stopServer(server)
    if (failed) rmSync(join(server, 'data'), { recursive: true, force: true })
  }
  if (!failed) rmSync(folder, { recursive: true, force: true })
}

/** The names of the servers that were started in this session. */
export function serversIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter(name => existsSync(join(folder, name, 'log')))
}

/** The session's part: started by the first who asks. */
export async function sharedPart(session: string, part: Part): Promise<PartEnvironment> {
  const folder = join(session, part.name)
  const file = join(folder, 'environment.json')
  return holdLock(`${folder}.lock`, async () => {
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as PartEnvironment
    mkdirSync(folder, { recursive: true })
    // The folder's name is the number of the process that runs the tests.
    const environment = await part.start({ folder, owner: ownerOf(session) })
    await writeFile(file, JSON.stringify(environment))
    return environment
  })
}

/** A folder for a server of one test alone, which ends with the run as well. */
export function ownFolder(session: string, name: string): string {
  const folder = join(session, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

export function ownerOf(session: string): number {
  return Number(session.slice(session.lastIndexOf('/') + 1))
}
