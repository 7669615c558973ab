/** The processes that a `weir run` has started, as anybody on the machine can see them. */
import { readFileSync } from 'node:fs'

export interface WeirChildProcess {
  readonly pid: number
  readonly kind: 'jobmanager' | 'taskmanager'
  readonly slot: number | undefined
}

/** Of this process; those that have just ended are left out. */
export function childrenOf(pid: number): readonly WeirChildProcess[] {
  const listed = read(`/proc/${pid}/task/${pid}/children`) ?? ''
  return listed.split(' ').flatMap(text => describe(Number(text)) ?? [])
}

export function isAlive(pid: number): boolean {
  const state = /^State:\s+(\S)/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return state !== undefined && state !== 'Z'
}

function describe(pid: number): WeirChildProcess | undefined {
  const kind = /\/bin\/(jobmanager|taskmanager)\.js/.exec(read(`/proc/${pid}/cmdline`) ?? '')?.[1]
  if (kind === undefined) return undefined
  const slot = /(?:^|\0)WEIR_SLOT=(\d+)\0/.exec(read(`/proc/${pid}/environ`) ?? '')?.[1]
  return {
    pid,
    kind: kind as WeirChildProcess['kind'],
    slot: slot === undefined ? undefined : Number(slot),
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
