import { readFileSync } from 'node:fs'

/** When a process began, ms since the epoch, to a tick of 10 ms. */
export function processStartMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command's name, in brackets, may hold anything.
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  const upSeconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
  return Date.now() - upSeconds * 1_000 + ticks * 10
}
