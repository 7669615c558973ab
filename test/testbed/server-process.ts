/**
 * One server of the testbed: its folder holds its number (`pid`), its words (`log`) and its data. It
 * ends with its owner, however that ends (`keep.sh`).
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isAlive } from './hold-lock.ts'
import { TestbedError } from './testbed-error.ts'

const READY_LIMIT_MS = 90_000
const STOP_LIMIT_MS = 20_000
const POLL_MS = 30
const SHOWN_LINES = 30

export interface ServerOptions {
  readonly folder: string
  /** The process it ends with; 0 for none. */
  readonly owner: number
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Whether it answers; may throw while it does not. */
  readonly isReady: () => Promise<boolean>
}

/** Starts a server and waits until it answers. */
export async function startServer(options: ServerOptions): Promise<void> {
  const { folder, owner, command, environment } = options
  const pidFile = join(folder, 'pid')
  const logFile = join(folder, 'log')
  rmSync(pidFile, { force: true })
  const log = openSync(logFile, 'a')
  const keeper = spawn(
    'sh',
    [join(import.meta.dirname, 'keep.sh'), String(owner), pidFile, ...command],
    {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    },
  )
  closeSync(log)
  keeper.unref()
  const startedMs = Date.now()
  while (!(await options.isReady().catch(() => false))) {
    const isDead = existsSync(pidFile) && !isAlive(serverPid(folder))
    const isLate = Date.now() - startedMs > READY_LIMIT_MS
    if (isDead || isLate) {
      await stopServer(folder)
      const end = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-SHOWN_LINES)
      const what = isDead ? 'ended at once' : `did not answer in ${READY_LIMIT_MS / 1000} s`
      throw new TestbedError(`${command[0]} ${what}\n${end.join('\n')}`, `see ${logFile}`)
    }
    await pause(POLL_MS)
  }
}

/** The number of the server's process; 0 where there is none. */
export function serverPid(folder: string): number {
  const file = join(folder, 'pid')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
}

export function isRunning(folder: string): boolean {
  const pid = serverPid(folder)
  return pid !== 0 && isAlive(pid)
}

/** Ends a server: as it wants to be ended, or at once (`SIGKILL`). Its data stays. */
export async function stopServer(
  folder: string,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<void> {
  const pid = serverPid(folder)
  if (pid !== 0) {
    send(pid, signal)
    const startedMs = Date.now()
    while (isAlive(pid)) {
      if (Date.now() - startedMs > STOP_LIMIT_MS) send(pid, 'SIGKILL')
      await pause(POLL_MS)
    }
  }
  rmSync(join(folder, 'pid'), { force: true })
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
