/** The processor time of a process, as Linux counts it. */
import { readFileSync } from 'node:fs'

/** Clock ticks of Linux, in which it counts. */
const TICK_MS = 10

export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')
  return (Number(fields?.[11]) + Number(fields?.[12])) * TICK_MS
}
