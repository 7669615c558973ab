/** What a simulated task does beside taking part in checkpoints. */
import type { SourceSplit } from '../../api/source.ts'
import type {
  OperatorRestore,
  OperatorSnapshot,
  TaskListener,
} from '../../runtime/task-contract.ts'
import { hashKey } from '../../state/key.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../../state/key-groups.ts'
import type { Bank } from './bank.ts'
import { MAX_PARALLELISM } from './bank-job.ts'
import type { Ledger } from './ledger.ts'
import type { Protection } from './protections.ts'
import type { Scheduler, SimProcess } from './scheduler.ts'
import type { SimClock } from './sim-clock.ts'
import type { SimRecord } from './sim-exchange.ts'

export type OperatorPart = Omit<OperatorSnapshot, 'operatorId'>

export const emptyPart: OperatorPart = {
  keyed: undefined,
  operatorState: [],
  splits: undefined,
  writerState: undefined,
  committables: undefined,
}

export interface TaskLogic {
  /** Before the task says that it runs. */
  open(): Promise<void>
  /** Once it runs. */
  start(): void
  record(record: SimRecord): void
  /** Right before the barrier goes on. */
  prepare(checkpointId: number): void
  /** The state as it is now. */
  cut(): OperatorPart
  complete(checkpointId: number): void
  /** The job is over: resolves when nothing is left to do. */
  finish(): Promise<void>
  addSplits(splits: readonly SourceSplit[]): void
  noMoreSplits(): void
  recordsPerSplit(): { readonly [splitId: string]: number }
  /** Of a sink, in this attempt. */
  recordsWritten?(): number
}

/** What its task gives it. */
export interface TaskPorts {
  readonly scheduler: Scheduler
  readonly process: SimProcess
  readonly clock: SimClock
  readonly bank: Bank
  readonly ledger: Ledger
  readonly off: ReadonlySet<Protection>
  readonly restored: OperatorRestore | undefined
  readonly restoredCheckpointId: number
  readonly listener: TaskListener
  readonly operatorId: string
  readonly isClosed: () => boolean
  /** Nothing more is to be emitted. */
  readonly isOver: () => boolean
  /** Sends to the task behind that owns the account. */
  emit(record: SimRecord): void
  /** False while the outputs are full: nothing is to be emitted. */
  mayEmit: () => boolean
  /** What was emitted may leave. */
  flush: () => void
  /** All records were emitted. */
  end(): void
}

export function accountOf(record: SimRecord): number {
  return record.kind === 'leg' ? record.leg.account : record.booking.account
}

/** Which of `parallelism` subtasks owns an account. */
export function ownerOf(
  account: number,
  parallelism: number,
  off: ReadonlySet<Protection>,
): number {
  if (off.has('key-group-routing')) return account % parallelism
  return subtaskOfKeyGroup(groupOf(account), MAX_PARALLELISM, parallelism)
}

export function groupOf(account: number): number {
  return keyGroupOf(hashKey(account), MAX_PARALLELISM)
}
