/**
 * A scenario whose job is cut into slices: each subtask talks to one other, so each slot is a
 * failover region of its own. More than usual goes wrong in single ones.
 *
 * Owns        how much.
 * Leaves out  what a fault does (`sim-cluster.ts`), and the job (`bank-job.ts`).
 */
import type { SeededRandom } from '../../common/random.ts'
import { type Fault, type FaultKind, PARALLELISM_MAX, type Scenario } from './scenario.ts'

/** One seed of so many has slices. */
const SLICES_EVERY = 5

const FAULTS_MAX = 5
const FAULT_TIME_MS = 150

const inOneSlot: readonly FaultKind[] = [
  'fail-task',
  'fail-task',
  'kill-worker',
  'zombie-worker',
  'doubled-worker',
]

export function hasSlices(seed: number): boolean {
  return seed % SLICES_EVERY === SLICES_EVERY - 1
}

export function slicesOf(whole: Scenario, random: SeededRandom): Scenario {
  const faults = Array.from({ length: 1 + random.int(FAULTS_MAX) }, (): Fault => {
    const kind = inOneSlot[random.int(inOneSlot.length)] as FaultKind
    const moment =
      random.int(2) === 0
        ? ({ kind: 'write', count: 1 + random.int(30) } as const)
        : ({ kind: 'at', atMs: random.next() * FAULT_TIME_MS } as const)
    return { kind, moment }
  })
  return {
    ...whole,
    slices: true,
    parallelism: 2 + random.int(PARALLELISM_MAX - 1),
    faults: [...whole.faults, ...faults],
  }
}
