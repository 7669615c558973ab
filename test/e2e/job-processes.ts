/** The processes of a run as the system sees them: whom a fault can strike. */
import { readdirSync, readFileSync } from 'node:fs'

export interface JobProcess {
  readonly pid: number
  /** `whole`: jobmanager and slots are in one process. */
  readonly role: 'jobmanager' | 'taskmanager' | 'whole'
}

/** `root`: the process that was started; what it started, too, belongs to the run. */
export function jobProcesses(root: number): readonly JobProcess[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : undefined
    if (parent !== undefined) parents.set(Number(name), parent)
  }
  const family = [...parents.keys()].filter(pid => isBelow(pid, root, parents))
  const parts = family.flatMap((pid): JobProcess[] => {
    const role = /\/bin\/(jobmanager|taskmanager)\.js/.exec(commandOf(pid))?.[1]
    return role === undefined ? [] : [{ pid, role: role as JobProcess['role'] }]
  })
  return parts.length > 0 ? parts : [{ pid: root, role: 'whole' }]
}

/** When a process began, ms since the epoch, to a tick of 10 ms. */
export function processStartMs(pid: number): number {
  const ticks = Number(statOf(pid)?.split(' ')[19])
  const upSeconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
  return Date.now() - upSeconds * 1_000 + ticks * 10
}

function isBelow(pid: number, root: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined; at = parents.get(at)) {
    if (at === root) return true
  }
  return false
}

function parentOf(pid: number): number | undefined {
  const fields = statOf(pid)?.split(' ')
  return fields === undefined ? undefined : Number(fields[1])
}

/** What follows the command's name, which may hold anything. */
function statOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2)
  } catch {
    return undefined
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
