/**
 * What is done to a running job. Each fault strikes once and comes back when it is over; that the
 * job recovered is for the caller to see.
 */
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../src/common/random.ts'
import type { WeirChildProcess } from '../e2e/weir-children.ts'
import type { ForceRun } from './force-run.ts'
import type { SocketRelays } from './socket-relays.ts'

export type FaultName =
  | 'kill-task'
  | 'kill-jobmanager'
  | 'pause-short'
  | 'pause-long'
  | 'full-disk'
  | 'cut-connection'
  | 'mute-connection'
  | 'storm'

export interface Fault {
  readonly name: FaultName
  /** In words, for the table. */
  readonly does: string
  /** Strikes of one run. */
  readonly strikes: number
  strike(run: ForceRun, random: Random): Promise<void>
}

/** Shorter than a heartbeat may take: nobody must notice. */
const SHORT_MS = 600
/** Longer: the process is given up, another takes its place, and then it wakes up. */
const LONG_MS = 4_000

export const faults: readonly Fault[] = [
  {
    name: 'kill-task',
    does: 'SIGKILL of a taskmanager',
    strikes: 3,
    strike: async (run, random) =>
      signal(oneOf(run.job.processes('taskmanager'), random), 'SIGKILL'),
  },
  {
    name: 'kill-jobmanager',
    does: 'SIGKILL of the jobmanager',
    strikes: 2,
    strike: async (run, random) =>
      signal(oneOf(run.job.processes('jobmanager'), random), 'SIGKILL'),
  },
  {
    name: 'pause-short',
    does: 'SIGSTOP for less than the heartbeat timeout',
    strikes: 4,
    strike: (run, random) => freeze(oneOf(run.job.processes(), random), random.int(SHORT_MS)),
  },
  {
    name: 'pause-long',
    does: 'SIGSTOP for longer than the heartbeat timeout',
    strikes: 2,
    strike: (run, random) => freeze(oneOf(run.job.processes(), random), LONG_MS),
  },
  {
    name: 'full-disk',
    does: 'no space left where checkpoints go',
    strikes: 2,
    strike: fillDisk,
  },
  {
    name: 'cut-connection',
    does: 'a connection between two slots ends',
    strikes: 3,
    strike: cutConnection,
  },
  {
    name: 'mute-connection',
    does: 'packets between two slots are lost, and nobody is told',
    strikes: 2,
    strike: async (run, random) => (await joined(run, random)).mute(random),
  },
  {
    name: 'storm',
    does: 'kills, pauses and cuts, one after the other, without waiting for the job to recover',
    strikes: 2,
    strike: storm,
  },
]

function oneOf(processes: readonly WeirChildProcess[], random: Random): WeirChildProcess {
  const one = processes[random.int(processes.length)]
  if (one === undefined) throw new Error('no such process runs')
  return one
}

/** A process that is gone by now was struck by something else: fine. */
function signal({ pid }: WeirChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function freeze(target: WeirChildProcess, ms: number): Promise<void> {
  signal(target, 'SIGSTOP')
  await pause(ms)
  signal(target, 'SIGCONT')
}

/** Strikes of a storm, and the longest time between two of them. */
const STORM_STRIKES = 6
const STORM_MS = 1_200

async function storm(run: ForceRun, random: Random): Promise<void> {
  for (let i = 0; i < STORM_STRIKES; i++) {
    await pause(random.int(STORM_MS))
    const all = run.job.processes()
    const target = all[random.int(Math.max(1, all.length))]
    const kind = random.int(4)
    if (kind === 0) run.relays?.cut(random)
    else if (target === undefined) continue
    else if (kind === 1) await freeze(target, random.int(LONG_MS))
    else signal(target, 'SIGKILL')
  }
}

async function cutConnection(run: ForceRun, random: Random): Promise<void> {
  const relays = await joined(run, random)
  relays.cut(random)
}

/** The relays, once connections between slots pass through them. */
async function joined(run: ForceRun, random: Random): Promise<SocketRelays> {
  const { relays } = run
  if (relays === undefined) throw new Error('the run has no relays')
  if (relays.count === 0) {
    // They were joined before the relays were there: now they have to join again.
    signal(oneOf(run.job.processes('taskmanager'), random), 'SIGKILL')
    while (relays.count === 0 && run.job.isRunning) await pause(5)
  }
  return relays
}

/** Until a checkpoint failed for it; then the space is there again. */
async function fillDisk(run: ForceRun): Promise<void> {
  const disk = run.smallDisk
  if (disk === undefined) throw new Error('the run has no small disk')
  const filler = join(disk.folder, 'filler')
  const before = (await run.job.figures())?.checkpointsFailed ?? 0
  const { bavail, bsize } = statfsSync(disk.folder)
  try {
    writeFileSync(filler, Buffer.alloc(bavail * bsize))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
  await run.job.until(figures => figures.checkpointsFailed > before)
  rmSync(filler, { force: true })
}
