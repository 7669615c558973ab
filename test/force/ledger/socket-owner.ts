/** Which of some processes has the TCP connection with this local port. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export function socketOwner(port: number, pids: readonly number[]): number | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const inode = /\d+/.exec(
    readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map(line => line.trim().split(/\s+/))
      .find(fields => fields[1]?.endsWith(`:${hex}`) && fields[3] === '01')?.[9] ?? '',
  )?.[0]
  return inode === undefined ? undefined : pids.find(pid => opens(pid, `socket:[${inode}]`))
}

function opens(pid: number, what: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some(fd => linkOf(`/proc/${pid}/fd/${fd}`) === what)
  } catch {
    // It has ended.
    return false
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
