/** What a jobmanager or a taskmanager finds around itself. */
import { rmSync } from 'node:fs'
import { delimiter } from 'node:path'
import process from 'node:process'
import type { ProcessHost, SupervisorPipe } from '../cluster/supervision.ts'
import { SystemClock } from '../common/clock.ts'
import { startControlThread } from './start-control-thread.ts'

/** Without a supervisor nobody would end a process that hangs. */
const GONE_LIMIT_MS = 3_000

export function processHost(version: string, door: string): ProcessHost {
  const supervisor = process.send === undefined ? undefined : pipe()
  // Ctrl-C reaches every process of the terminal: the supervisor decides what it means.
  if (supervisor !== undefined) process.on('SIGINT', () => {})
  return {
    environment: process.env,
    pid: process.pid,
    supervisor,
    version,
    onTerm: callback => void process.on('SIGTERM', callback),
    startControlThread: startControlThread(door),
    log: line => void process.stderr.write(line),
  }
}

function pipe(): SupervisorPipe {
  let isFull = false
  return {
    send(message) {
      // A supervisor that stands still gets the newest later; nothing piles up for it.
      const isNews = (message as { kind?: string }).kind !== 'progress'
      if (!process.connected || (isFull && !isNews)) return
      isFull = process.send?.(message, undefined, {}, () => (isFull = false)) === false
    },
    onMessage: take => void process.on('message', take),
    onGone(callback) {
      const gone = (): void => {
        new SystemClock().schedule(GONE_LIMIT_MS, () => process.exit(1))
        const folders = process.env.WEIR_SCRATCH_FOLDER?.split(delimiter) ?? []
        for (const folder of folders) rmSync(folder, { recursive: true, force: true })
        callback()
      }
      // It may have died before this process could listen.
      if (process.connected) process.on('disconnect', gone)
      else gone()
    },
  }
}
