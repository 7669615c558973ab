/** What a seed stands for: the job, its settings, and the faults it will meet. */
import type { SeededRandom } from '../../common/random.ts'
import type { BarrierAlignment } from '../../runtime/task-contract.ts'
import { type Bank, makeBank } from './bank.ts'
import type { TaskRole } from './bank-job.ts'
import type { ClockFaults } from './sim-clock.ts'
import type { StoreFaults } from './sim-store.ts'

export const PARALLELISM_MAX = 3

/** What happens to a cluster: faults, and what its user orders. */
export type FaultKind =
  | 'kill-worker'
  /** User code throws in one of its subtasks. */
  | 'fail-task'
  | 'kill-jobmanager'
  /** A savepoint; the job goes on. */
  | 'savepoint'
  /** A stop with a savepoint, and a new start from it with other slots. */
  | 'stop-with-savepoint'
  /** Another number of slots is ordered, or the same; the jobmanager may die on the way. */
  | 'rescale'
  /** It stands still, its successor takes over, it wakes up. */
  | 'zombie-jobmanager'
  /** Two jobmanagers start at the same time while the first one lives. */
  | 'rival-jobmanagers'
  /** It stands still, is given up and replaced, and wakes up. */
  | 'zombie-worker'
  /** Another one takes its slot while it lives. */
  | 'doubled-worker'
  /** The wall clock of a process is set. */
  | 'clock-jump'
  /** Every call to the store takes long for a while. */
  | 'slow-disk'

const faultKinds: readonly FaultKind[] = [
  'kill-worker',
  'kill-worker',
  'kill-jobmanager',
  'kill-jobmanager',
  'zombie-jobmanager',
  'zombie-jobmanager',
  'rival-jobmanagers',
  'zombie-worker',
  'doubled-worker',
  'savepoint',
  'stop-with-savepoint',
  'stop-with-savepoint',
  'clock-jump',
  'slow-disk',
]

export type FaultMoment =
  | { readonly kind: 'at'; readonly atMs: number }
  /** Right after a write of the jobmanager's took effect, before its answer. */
  | { readonly kind: 'write'; readonly count: number }
  /** Right after the commit of a checkpoint was ordered. */
  | { readonly kind: 'complete'; readonly count: number }

export interface Fault {
  readonly kind: FaultKind
  readonly moment: FaultMoment
}

export interface Scenario {
  readonly bank: Bank
  readonly mode: 'exactly-once' | 'at-least-once'
  readonly parallelism: number
  readonly intervalMs: number
  readonly minPauseMs: number
  readonly timeoutMs: number
  readonly alignment: BarrierAlignment
  /** No barrier overtakes between the sums and the sinks. */
  readonly forced: boolean
  /** Each subtask talks to one other, and nothing is summed up. */
  readonly slices: boolean
  /** The longest time that a record takes, by role. */
  readonly takeMs: Readonly<Record<TaskRole, number>>
  /** Batches that a receiver takes before it polls, and that wait before a sender pauses. */
  readonly credit: number
  readonly waitingMax: number
  readonly maxConcurrent: number
  readonly tolerableFailures: number
  readonly retained: number
  /** The longest delay of a message. */
  readonly networkMs: number
  readonly store: StoreFaults
  readonly clocks: ClockFaults
  /** More jobmanagers than this means that the job gets nowhere. */
  readonly jobManagersMax: number
  /** Probabilities of a message. */
  readonly lostNotification: number
  readonly doubledNotification: number
  readonly lostTrigger: number
  /** The job can be rescaled. */
  readonly rescales: boolean
  /** Of a worker: it registers late. */
  readonly lateWorker: number
  readonly faults: readonly Fault[]
}

/** Then data flows freely: of a slow job no aligned checkpoint might ever be in time. */
export const SLOW_UNTIL_MS = 500

const FAULTS_MAX = 6
const FAULT_TIME_MS = 150

export function drawScenario(random: SeededRandom): Scenario {
  const mode = random.int(6) === 0 ? 'at-least-once' : 'exactly-once'
  const often = (probability: number): number => (random.next() < 0.5 ? 0 : probability)
  return {
    bank: makeBank(random),
    mode,
    alignment: mode === 'exactly-once' ? drawAlignment(random) : { kind: 'aligned' },
    forced: random.int(4) === 0,
    slices: false,
    takeMs: { source: 0, sum: often(random.next()), relay: 0, sink: often(random.next() * 2) },
    credit: 1 + random.int(3),
    waitingMax: 1 + random.int(4),
    parallelism: 1 + random.int(PARALLELISM_MAX),
    intervalMs: 4 + random.int(16),
    minPauseMs: random.int(4),
    timeoutMs: 60 + random.int(100),
    maxConcurrent: 1 + random.int(3),
    tolerableFailures: random.int(3),
    retained: 1 + random.int(3),
    networkMs: 0.5 + random.next() * 6,
    store: {
      fail: often(0.03),
      loseAnswer: often(0.03),
      slow: often(0.03),
      untilMs: 1_000,
      outages: [],
    },
    clocks: { skewMs: 120_000, drift: 0.1 },
    jobManagersMax: 40,
    lostNotification: often(0.3),
    doubledNotification: often(0.3),
    lostTrigger: often(0.03),
    rescales: false,
    lateWorker: often(0.2),
    faults: Array.from({ length: random.int(FAULTS_MAX + 1) }, () => drawFault(random)),
  }
}

function drawAlignment(random: SeededRandom): BarrierAlignment {
  switch (random.int(3)) {
    case 0:
      return { kind: 'aligned' }
    case 1:
      return { kind: 'unaligned' }
    default:
      return { kind: 'timeout', timeoutMs: 1 + random.int(15) }
  }
}

function drawFault(random: SeededRandom): Fault {
  const kind = faultKinds[random.int(faultKinds.length)] as FaultKind
  return { kind, moment: drawMoment(random) }
}

export function drawMoment(random: SeededRandom): FaultMoment {
  switch (random.int(3)) {
    case 0:
      return { kind: 'write', count: 1 + random.int(30) }
    case 1:
      return { kind: 'complete', count: 1 + random.int(6) }
    default:
      return { kind: 'at', atMs: random.next() * FAULT_TIME_MS }
  }
}
