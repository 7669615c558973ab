/**
 * Barriers of a task in at-least-once mode: counts them, and blocks nothing. Records behind a
 * barrier that came early are in the snapshot, and are processed again after a restore.
 *
 * Invariants
 *  B8  No channel is ever blocked or recorded, and at most PENDING_MAX checkpoints are counted.
 */
import { assert } from '../../common/assert.ts'
import type { CheckpointBarrier } from '../task-contract.ts'
import type { BarrierDecision, BarrierHandler, Moment } from './barrier-decision.ts'
import {
  abort,
  alignedSnapshot,
  allChannels,
  beginPending,
  hasAll,
  type PendingBarriers,
} from './pending-barriers.ts'

/** Checkpoints counted at once: older ones will hardly ever complete. */
export const PENDING_MAX = 50

export class CountingBarrierHandler implements BarrierHandler {
  readonly #open: Set<number>
  /** Undecided checkpoints, oldest first. */
  #pending: PendingBarriers[] = []
  /** The newest checkpoint seen, decided or not. */
  #newestId = 0
  #decidedId = 0

  constructor(channelCount: number) {
    this.#open = allChannels(channelCount)
  }

  onBarrier(barrier: CheckpointBarrier, channel: number, now: Moment): readonly BarrierDecision[] {
    const { checkpointId } = barrier
    assert(this.#open.has(channel), 'B6: an ended channel sends no barrier')
    if (checkpointId <= this.#decidedId) return []
    let pending = this.#pending.find(one => one.barrier.checkpointId === checkpointId)
    if (pending === undefined) {
      // Counted before and dropped, or cancelled: too late for it.
      if (checkpointId <= this.#newestId) return []
      this.#newestId = checkpointId
      pending = beginPending(barrier, now)
      this.#pending.push(pending)
    }
    pending.inOrder.add(channel)
    if (hasAll(pending, this.#open)) return this.#complete(pending, now)
    return this.#pending.length > PENDING_MAX ? this.#drop(1) : []
  }

  /** Here a barrier is a barrier, whatever it overtook. */
  onBarrierAhead(
    barrier: CheckpointBarrier,
    channel: number,
    now: Moment,
  ): readonly BarrierDecision[] {
    return this.onBarrier(barrier, channel, now)
  }

  onAnnounced(): readonly BarrierDecision[] {
    return []
  }

  onTimer(): readonly BarrierDecision[] {
    return []
  }

  onAborted(): readonly BarrierDecision[] {
    return []
  }

  onCancel(checkpointId: number): readonly BarrierDecision[] {
    if (checkpointId <= this.#decidedId) return []
    const known = this.#pending.some(one => one.barrier.checkpointId === checkpointId)
    if (!known && checkpointId <= this.#newestId) return []
    this.#newestId = Math.max(this.#newestId, checkpointId)
    this.#decidedId = checkpointId
    const older = this.#pending.filter(one => one.barrier.checkpointId < checkpointId).length
    const decisions = this.#drop(older)
    if (known) this.#pending.shift()
    return [...decisions, ...abort(checkpointId, 'cancelled upstream')]
  }

  onEndOfPartition(channel: number, now: Moment): readonly BarrierDecision[] {
    this.#open.delete(channel)
    // Several may be complete now: the newest stands for all.
    const complete = this.#pending.findLast(one => hasAll(one, this.#open))
    return complete === undefined ? [] : this.#complete(complete, now)
  }

  #complete(pending: PendingBarriers, now: Moment): readonly BarrierDecision[] {
    const decisions = this.#drop(this.#pending.indexOf(pending))
    this.#pending.shift()
    this.#decidedId = pending.barrier.checkpointId
    return [...decisions, alignedSnapshot(pending, now)]
  }

  /** Gives up the oldest ones. */
  #drop(count: number): readonly BarrierDecision[] {
    const dropped = this.#pending.splice(0, count)
    const last = dropped.at(-1)
    if (last !== undefined) this.#decidedId = last.barrier.checkpointId
    return dropped.flatMap(one => abort(one.barrier.checkpointId, 'a newer checkpoint began'))
  }
}
