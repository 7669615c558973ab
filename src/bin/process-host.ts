/** What a jobmanager or a taskmanager finds around itself. */
import process from 'node:process'
import type { ProcessHost, SupervisorPipe } from '../cluster/supervision.ts'

export function processHost(version: string): ProcessHost {
  const supervisor = process.send === undefined ? undefined : pipe()
  // Ctrl-C reaches every process of the terminal: the supervisor decides what it means.
  if (supervisor !== undefined) process.on('SIGINT', () => {})
  return {
    environment: process.env,
    pid: process.pid,
    supervisor,
    version,
    onTerm: callback => void process.on('SIGTERM', callback),
    log: line => void process.stderr.write(line),
  }
}

function pipe(): SupervisorPipe {
  let isFull = false
  return {
    send(message) {
      // A supervisor that stands still gets the newest again later; nothing piles up for it.
      if (!process.connected || (isFull && (message as { kind?: string }).kind === 'progress')) return
      isFull = process.send?.(message, undefined, {}, () => (isFull = false)) === false
    },
    onMessage: take => void process.on('message', take),
    onGone: callback => void process.on('disconnect', callback),
  }
}
