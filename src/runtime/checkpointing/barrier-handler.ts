/**
 * Barriers of a task with inputs: decides when all of them have cut the same checkpoint. Pure:
 * events in, decisions out; no clock, no channel. Here checkpoints are aligned (exactly once) or
 * counted (at least once); `BarrierHandler` is what every way of cutting gives its task.
 *
 * Owns        which channels have delivered the barrier of which checkpoint, and which are open.
 * Leaves out  blocking itself, the snapshot, markers to the tasks behind: the task performs each
 *             decision, in order.
 *
 * Invariants
 *  B1  A checkpoint is decided once: one `snapshot`, or one `abort`, or nothing.
 *  B2  Ids of snapshots only grow; nothing older than the last decided one is looked at again.
 *  B3  Exactly once: a channel whose barrier came is blocked until the checkpoint is decided, and
 *      no channel stays blocked after it.
 *  B4  At least once: no channel is ever blocked, and at most PENDING_MAX checkpoints are counted.
 *  B5  A channel that ended counts as aligned.
 *
 * Source: Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows" (2015).
 */
import { assert } from '../../common/assert.ts'
import type { CheckpointBarrier } from '../task-contract.ts'

export type BarrierDecision =
  /** Takes no more from this channel. */
  | { readonly kind: 'block'; readonly channel: number }
  | { readonly kind: 'unblock-all' }
  | {
      readonly kind: 'snapshot'
      readonly barrier: CheckpointBarrier
      /** From the first barrier to the last. */
      readonly alignmentMs: number
      /** From the trigger to the first barrier here. */
      readonly startDelayMs: number
    }
  /** This task cannot take part any more. */
  | { readonly kind: 'abort'; readonly checkpointId: number; readonly reason: AbortReason }
  /** Tells the tasks behind that no barrier will come. */
  | { readonly kind: 'forward-cancel'; readonly checkpointId: number }

export type AbortReason = 'a newer checkpoint began' | 'cancelled upstream'

export interface BarrierHandler {
  /** A barrier arrived on a channel; `now` in ms since the epoch. */
  onBarrier(barrier: CheckpointBarrier, channel: number, now: number): readonly BarrierDecision[]
  /** A sender gave the checkpoint up. */
  onCancel(checkpointId: number): readonly BarrierDecision[]
  /** Nothing more comes on the channel, not even barriers. */
  onEndOfPartition(channel: number, now: number): readonly BarrierDecision[]
}

/** Checkpoints counted at once in at-least-once mode: older ones will hardly ever complete. */
export const PENDING_MAX = 50

export function makeBarrierHandler(
  mode: 'exactly-once' | 'at-least-once',
  channelCount: number,
): BarrierHandler {
  assert(channelCount > 0, 'a task with barriers has channels')
  return mode === 'exactly-once'
    ? new AlignedBarrierHandler(channelCount)
    : new CountingBarrierHandler(channelCount)
}

interface Alignment {
  readonly barrier: CheckpointBarrier
  readonly startedAt: number
  readonly channels: Set<number>
}

function begin(barrier: CheckpointBarrier, now: number): Alignment {
  return { barrier, startedAt: now, channels: new Set() }
}

function isComplete(alignment: Alignment, open: ReadonlySet<number>): boolean {
  for (const channel of open) if (!alignment.channels.has(channel)) return false
  return true
}

function snapshot(alignment: Alignment, now: number): BarrierDecision {
  const { barrier, startedAt } = alignment
  return {
    kind: 'snapshot',
    barrier,
    // A clock set back must not make a duration negative.
    alignmentMs: Math.max(0, now - startedAt),
    startDelayMs: Math.max(0, startedAt - barrier.timestamp),
  }
}

function abort(checkpointId: number, reason: AbortReason): readonly BarrierDecision[] {
  return [
    { kind: 'abort', checkpointId, reason },
    { kind: 'forward-cancel', checkpointId },
  ]
}

function allChannels(count: number): Set<number> {
  return new Set(Array.from({ length: count }, (_, channel) => channel))
}

class AlignedBarrierHandler implements BarrierHandler {
  readonly #open: Set<number>
  /** The newest checkpoint seen, decided or not. */
  #newestId = 0
  #pending: Alignment | undefined

  constructor(channelCount: number) {
    this.#open = allChannels(channelCount)
  }

  onBarrier(barrier: CheckpointBarrier, channel: number, now: number): readonly BarrierDecision[] {
    const { checkpointId } = barrier
    assert(this.#open.has(channel), 'B5: an ended channel sends no barrier')
    const decisions: BarrierDecision[] = []
    if (checkpointId > this.#newestId) {
      decisions.push(...this.#giveUp('a newer checkpoint began'))
      this.#newestId = checkpointId
      this.#pending = begin(barrier, now)
    }
    const pending = this.#pending
    // Late: the checkpoint was decided before (B2). The channel is not blocked by its barrier.
    if (pending === undefined || pending.barrier.checkpointId !== checkpointId) return decisions
    assert(!pending.channels.has(channel), 'B3: a blocked channel delivers nothing')
    pending.channels.add(channel)
    if (isComplete(pending, this.#open)) decisions.push(...this.#complete(pending, now))
    else decisions.push({ kind: 'block', channel })
    return decisions
  }

  onCancel(checkpointId: number): readonly BarrierDecision[] {
    const isPending = this.#pending?.barrier.checkpointId === checkpointId
    if (isPending) return this.#giveUp('cancelled upstream')
    if (checkpointId <= this.#newestId) return []
    const decisions = this.#giveUp('a newer checkpoint began')
    this.#newestId = checkpointId
    return [...decisions, ...abort(checkpointId, 'cancelled upstream')]
  }

  onEndOfPartition(channel: number, now: number): readonly BarrierDecision[] {
    this.#open.delete(channel)
    const pending = this.#pending
    if (pending === undefined || !isComplete(pending, this.#open)) return []
    return this.#complete(pending, now)
  }

  #complete(pending: Alignment, now: number): readonly BarrierDecision[] {
    this.#pending = undefined
    return [snapshot(pending, now), { kind: 'unblock-all' }]
  }

  #giveUp(reason: AbortReason): readonly BarrierDecision[] {
    const pending = this.#pending
    if (pending === undefined) return []
    this.#pending = undefined
    return [...abort(pending.barrier.checkpointId, reason), { kind: 'unblock-all' }]
  }
}

class CountingBarrierHandler implements BarrierHandler {
  readonly #open: Set<number>
  /** Undecided checkpoints, oldest first. */
  #pending: Alignment[] = []
  /** The newest checkpoint seen, decided or not. */
  #newestId = 0
  #decidedId = 0

  constructor(channelCount: number) {
    this.#open = allChannels(channelCount)
  }

  onBarrier(barrier: CheckpointBarrier, channel: number, now: number): readonly BarrierDecision[] {
    const { checkpointId } = barrier
    assert(this.#open.has(channel), 'B5: an ended channel sends no barrier')
    if (checkpointId <= this.#decidedId) return []
    let pending = this.#pending.find(one => one.barrier.checkpointId === checkpointId)
    if (pending === undefined) {
      // Counted before and dropped, or cancelled: too late for it.
      if (checkpointId <= this.#newestId) return []
      this.#newestId = checkpointId
      pending = begin(barrier, now)
      this.#pending.push(pending)
    }
    pending.channels.add(channel)
    if (isComplete(pending, this.#open)) return this.#complete(pending, now)
    return this.#pending.length > PENDING_MAX ? this.#drop(1) : []
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

  onEndOfPartition(channel: number, now: number): readonly BarrierDecision[] {
    this.#open.delete(channel)
    // Several may be complete now: the newest stands for all.
    const complete = this.#pending.findLast(one => isComplete(one, this.#open))
    return complete === undefined ? [] : this.#complete(complete, now)
  }

  #complete(pending: Alignment, now: number): readonly BarrierDecision[] {
    const decisions = this.#drop(this.#pending.indexOf(pending))
    this.#pending.shift()
    this.#decidedId = pending.barrier.checkpointId
    return [...decisions, snapshot(pending, now)]
  }

  /** Gives up the oldest ones. */
  #drop(count: number): readonly BarrierDecision[] {
    const dropped = this.#pending.splice(0, count)
    const last = dropped.at(-1)
    if (last !== undefined) this.#decidedId = last.barrier.checkpointId
    return dropped.flatMap(one => abort(one.barrier.checkpointId, 'a newer checkpoint began'))
  }
}
