/** The words between a task and its barrier handler. Plain data. */
import type { Clock } from '../../common/clock.ts'
import type { CheckpointBarrier } from '../task-contract.ts'

export type BarrierDecision =
  /** Takes no more from this channel. */
  | { readonly kind: 'block'; readonly channel: number }
  | { readonly kind: 'unblock-all' }
  /** Calls `onTimer` at this time (monotonic ms), unless another one is set before. */
  | { readonly kind: 'set-timer'; readonly at: number }
  | SnapshotDecision
  /** The barrier of a recorded channel came: its recording ends. */
  | { readonly kind: 'finish-recording'; readonly checkpointId: number; readonly channel: number }
  /** The last recording has ended: nothing of this checkpoint is to come from the inputs. */
  | {
      readonly kind: 'recorded'
      readonly checkpointId: number
      /** From the first barrier to the last. */
      readonly alignmentMs: number
    }
  /** This task cannot take part any more; what was recorded is given up. */
  | { readonly kind: 'abort'; readonly checkpointId: number; readonly reason: AbortReason }
  /** Tells the tasks behind that no barrier will come. */
  | { readonly kind: 'forward-cancel'; readonly checkpointId: number }

export interface SnapshotDecision {
  readonly kind: 'snapshot'
  /** As it goes on: once a task began unaligned, the tasks behind do too. */
  readonly barrier: CheckpointBarrier
  /**
   * Channels whose data before the barrier is part of the snapshot, each until `finish-recording`.
   * `undefined`: nothing is in flight, and `recorded` does not follow.
   */
  readonly record: readonly number[] | undefined
  /** From the first barrier to the snapshot. */
  readonly alignmentMs: number
  /** From the trigger to the first barrier here. */
  readonly startDelayMs: number
}

export type AbortReason = 'a newer checkpoint began' | 'cancelled upstream'

/**
 * The same instant by both clocks. How long ago a checkpoint was triggered elsewhere only the epoch
 * tells; waits are measured by the clock that nobody sets.
 */
export interface Moment {
  readonly epochMs: number
  readonly monotonicMs: number
}

export function momentOf(clock: Clock): Moment {
  return { epochMs: clock.now(), monotonicMs: clock.monotonic() }
}

/** What every way of cutting gives its task. */
export interface BarrierHandler {
  /** A barrier was taken from a channel in its order. */
  onBarrier(barrier: CheckpointBarrier, channel: number, now: Moment): readonly BarrierDecision[]
  /** A barrier came that overtook data, or that the recording of its channel took out. */
  onBarrierAhead(
    barrier: CheckpointBarrier,
    channel: number,
    now: Moment,
  ): readonly BarrierDecision[]
  /** A barrier with a timeout stands in the queue of a channel. */
  onAnnounced(barrier: CheckpointBarrier, now: Moment): readonly BarrierDecision[]
  /** The time of the last `set-timer` has come. */
  onTimer(now: Moment): readonly BarrierDecision[]
  /** A sender gave the checkpoint up. */
  onCancel(checkpointId: number): readonly BarrierDecision[]
  /** The job gave the checkpoint up: what is recorded of it is not awaited any more. */
  onAborted(checkpointId: number): readonly BarrierDecision[]
  /** Nothing more comes on the channel, not even barriers. */
  onEndOfPartition(channel: number, now: Moment): readonly BarrierDecision[]
}
