/**
 * Watches one subtask's patience: an alignment with a timeout ends when the timeout is over,
 * counted from the trigger. It can be made to count from the arrival here instead.
 */
import type { SnapshotDecision } from '../../runtime/checkpointing/barrier-decision.ts'
import type { CheckpointBarrier } from '../../runtime/task-contract.ts'
import type { SimProcess } from './scheduler.ts'

export interface PatienceOptions {
  readonly process: SimProcess
  /** Off: from the arrival. */
  readonly fromGlobalStart: boolean
  /** Nothing can be hastened here. */
  readonly forced: boolean
  /** A wait in which somebody sets the wall clock is judged by none. */
  readonly clock: { now(): number; monotonic(): number }
  readonly exceeded: (detail: string) => void
}

/** Clocks show whole milliseconds. */
const TOLERANCE_MS = 2

interface FirstSight {
  readonly barrier: CheckpointBarrier
  /** By the wall clock, as the handler counts, and by the one that only goes on. */
  readonly at: number
  readonly monotonicMs: number
}

export class Patience {
  readonly #options: PatienceOptions
  /** By checkpoint: the barrier as it was when it was seen first. */
  readonly #seen = new Map<number, FirstSight>()

  constructor(options: PatienceOptions) {
    this.#options = options
  }

  /** The barrier as the task's handler is told of it. */
  seen(barrier: CheckpointBarrier, now: number): CheckpointBarrier {
    const { checkpointId } = barrier
    const first = this.#seen.get(checkpointId) ?? this.#firstSight(barrier, now)
    this.#seen.set(checkpointId, first)
    return this.#options.fromGlobalStart ? barrier : { ...barrier, timestamp: first.at }
  }

  #firstSight(barrier: CheckpointBarrier, at: number): FirstSight {
    return { barrier, at, monotonicMs: this.#options.clock.monotonic() }
  }

  check({ barrier }: SnapshotDecision): void {
    const { process, forced, clock, exceeded } = this.#options
    const first = this.#seen.get(barrier.checkpointId)
    this.#seen.delete(barrier.checkpointId)
    if (first === undefined || forced || process.stoodStill) return
    const { timestamp, alignment } = first.barrier
    if (alignment.kind !== 'timeout') return
    const leftMs = Math.max(0, Math.min(timestamp, first.at) + alignment.timeoutMs - first.at)
    const waitedMs = clock.monotonic() - first.monotonicMs
    if (Math.abs(clock.now() - first.at - waitedMs) > TOLERANCE_MS) return
    const lateMs = waitedMs - leftMs
    if (lateMs <= TOLERANCE_MS) return
    exceeded(`${barrier.checkpointId} was cut ${lateMs} ms after its patience was over`)
  }
}
