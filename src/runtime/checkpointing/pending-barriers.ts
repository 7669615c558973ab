import type { CheckpointBarrier } from '../task-contract.ts'
import type { AbortReason, BarrierDecision, Moment, SnapshotDecision } from './barrier-decision.ts'

/** One checkpoint of which some barriers came. */
export interface PendingBarriers {
  readonly barrier: CheckpointBarrier
  /** When the first sign of it came. */
  readonly startedAt: Moment
  /** Channels whose barrier was taken in its order: what they hold came after it. */
  readonly inOrder: Set<number>
  /** Channels whose barrier came ahead of data. */
  readonly ahead: Set<number>
  /** True: it waits for no more barriers than it must. */
  unaligned: boolean
  /** The snapshot was decided; what is missing is being recorded. */
  cut: boolean
}

export function beginPending(barrier: CheckpointBarrier, now: Moment): PendingBarriers {
  return {
    barrier,
    startedAt: now,
    inOrder: new Set(),
    ahead: new Set(),
    unaligned: now.monotonicMs >= deadlineOf(barrier, now),
    cut: false,
  }
}

/**
 * When an aligned checkpoint turns unaligned (monotonic ms), for who knows of it since `seenAt`;
 * infinite when it never does.
 */
export function deadlineOf({ timestamp, alignment }: CheckpointBarrier, seenAt: Moment): number {
  switch (alignment.kind) {
    case 'aligned':
      return Number.POSITIVE_INFINITY
    case 'unaligned':
      return Number.NEGATIVE_INFINITY
    case 'timeout':
      // From the global start: a barrier that was long on its way has little patience left. Where
      // the clock here is behind, it has as much as at the start, and not more.
      return seenAt.monotonicMs + alignment.timeoutMs - ageMs(timestamp, seenAt)
  }
}

/** The same barrier, as it goes on once a task began unaligned. */
export function unalignedForm(barrier: CheckpointBarrier): CheckpointBarrier {
  return { ...barrier, alignment: { kind: 'unaligned' } }
}

/** Whether the barrier came on all of these channels. */
export function hasAll(pending: PendingBarriers, channels: ReadonlySet<number>): boolean {
  for (const channel of channels) {
    if (!pending.inOrder.has(channel) && !pending.ahead.has(channel)) return false
  }
  return true
}

/** A snapshot of which nothing is in flight. */
export function alignedSnapshot(pending: PendingBarriers, now: Moment): SnapshotDecision {
  const { barrier, startedAt } = pending
  return {
    kind: 'snapshot',
    barrier,
    record: undefined,
    alignmentMs: alignmentMs(pending, now),
    startDelayMs: ageMs(barrier.timestamp, startedAt),
  }
}

export function alignmentMs({ startedAt }: PendingBarriers, now: Moment): number {
  return now.monotonicMs - startedAt.monotonicMs
}

/** A clock that is behind must not make a duration negative. */
function ageMs(timestamp: number, { epochMs }: Moment): number {
  return Math.max(0, epochMs - timestamp)
}

export function abort(checkpointId: number, reason: AbortReason): readonly BarrierDecision[] {
  return [
    { kind: 'abort', checkpointId, reason },
    { kind: 'forward-cancel', checkpointId },
  ]
}

export function allChannels(count: number): Set<number> {
  return new Set(Array.from({ length: count }, (_, channel) => channel))
}
