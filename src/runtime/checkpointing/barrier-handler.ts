/**
 * Barriers of a task with inputs: decides when they cut a checkpoint, and which data in flight
 * belongs to it. Pure: events in, decisions out; no clock, no channel.
 *
 * Aligned: a channel whose barrier came waits until all have; then nothing is in flight. Unaligned:
 * the first barrier cuts, and the data of the other channels is recorded until their barriers come.
 * With a timeout, counted from the global start of the checkpoint, an aligned one turns unaligned
 * in the middle: barriers that still stand in queues are taken out of them.
 *
 * Owns        which channels have delivered the barrier of which checkpoint, and which are open.
 * Leaves out  blocking and recording themselves, the snapshot, timers, markers to the tasks behind:
 *             the task performs each decision, in order.
 *
 * Invariants
 *  B1  A checkpoint is begun once: one `snapshot`, or one `abort`, or nothing. One that records
 *      then ends once: `recorded`, or `abort`. One that the job gave up is not begun any more.
 *  B2  Ids of snapshots only grow; nothing older than the last decided one is looked at again.
 *  B3  A channel whose barrier came before the snapshot is blocked until the snapshot, and no
 *      channel stays blocked after it.
 *  B4  The cut is consistent: a channel is recorded unless its barrier was taken in its order, and
 *      its recording ends with its barrier. So state and recordings together are exactly what was
 *      sent before the barriers.
 *  B5  An unaligned checkpoint waits for no barrier, also where none may overtake
 *      (`graph/forced-alignment.ts`): such a channel is recorded until its barrier comes in its
 *      order. To block others meanwhile could hold up the very task that is still to send it.
 *  B6  A channel that ended counts as one whose barrier came.
 *  B7  While nothing is overdue, a checkpoint with a timeout is an aligned one.
 *
 * Source: Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows" (2015);
 * the unaligned way is Chandy and Lamport, "Distributed Snapshots" (1985): a channel's state is
 * what came after the snapshot and before the channel's own barrier.
 */
import { assert } from '../../common/assert.ts'
import type { CheckpointBarrier } from '../task-contract.ts'
import type { AbortReason, BarrierDecision, BarrierHandler, Moment } from './barrier-decision.ts'
import { CountingBarrierHandler } from './counting-barrier-handler.ts'
import {
  abort,
  alignedSnapshot,
  alignmentMs,
  allChannels,
  beginPending,
  deadlineOf,
  hasAll,
  type PendingBarriers,
  unalignedForm,
} from './pending-barriers.ts'

export interface BarrierHandlerOptions {
  readonly mode: 'exactly-once' | 'at-least-once'
  readonly channelCount: number
}

/** Aborted ids that are remembered: more than could ever be on their way. */
const ABORTED_MAX = 64

export function makeBarrierHandler(options: BarrierHandlerOptions): BarrierHandler {
  const { mode, channelCount } = options
  assert(channelCount > 0, 'a task with barriers has channels')
  return mode === 'exactly-once'
    ? new ExactBarrierHandler(channelCount)
    : new CountingBarrierHandler(channelCount)
}

class ExactBarrierHandler implements BarrierHandler {
  readonly #open: Set<number>
  /** The newest checkpoint seen, decided or not. */
  #newestId = 0
  #pending: PendingBarriers | undefined
  /** Given up by the job before any barrier came here. */
  readonly #aborted = new Set<number>()

  constructor(channelCount: number) {
    this.#open = allChannels(channelCount)
  }

  onBarrier(barrier: CheckpointBarrier, channel: number, now: Moment): readonly BarrierDecision[] {
    assert(this.#open.has(channel), 'B6: an ended channel sends no barrier')
    const { pending, decisions } = this.#see(barrier, now)
    // Late: the checkpoint was decided before (B2). The channel is not blocked by its barrier.
    if (pending === undefined) return decisions
    assert(!pending.cut, 'B4: a recorded channel gives its barrier ahead')
    assert(!hasCome(pending, channel), 'B3: a blocked channel delivers nothing')
    pending.inOrder.add(channel)
    if (barrier.alignment.kind === 'unaligned') pending.unaligned = true
    return [...decisions, ...this.#arrived(pending, channel, now)]
  }

  onBarrierAhead(
    barrier: CheckpointBarrier,
    channel: number,
    now: Moment,
  ): readonly BarrierDecision[] {
    assert(this.#open.has(channel), 'B6: an ended channel sends no barrier')
    const { pending, decisions } = this.#see(barrier, now)
    if (pending === undefined) return decisions
    assert(!hasCome(pending, channel), 'B4: a barrier comes once')
    pending.ahead.add(channel)
    pending.unaligned = true
    if (!pending.cut) return [...decisions, ...this.#arrived(pending, channel, now)]
    return [...decisions, ...this.#finishRecording(pending, channel, now)]
  }

  onAnnounced(barrier: CheckpointBarrier, now: Moment): readonly BarrierDecision[] {
    const { pending, decisions } = this.#see(barrier, now)
    return pending === undefined ? decisions : [...decisions, ...this.#tryUnaligned(pending, now)]
  }

  onTimer(now: Moment): readonly BarrierDecision[] {
    const pending = this.#pending
    if (pending === undefined || isInTime(pending, now)) return []
    pending.unaligned = true
    return this.#tryUnaligned(pending, now)
  }

  onCancel(checkpointId: number): readonly BarrierDecision[] {
    const isPending = this.#pending?.barrier.checkpointId === checkpointId
    if (isPending) return this.#giveUp('cancelled upstream')
    if (checkpointId <= this.#newestId) return []
    const decisions = this.#giveUp('a newer checkpoint began')
    this.#newestId = checkpointId
    return [...decisions, ...abort(checkpointId, 'cancelled upstream')]
  }

  /** The job knows already: nothing is reported. The tasks behind hear of it, or are told. */
  onAborted(checkpointId: number): readonly BarrierDecision[] {
    const pending = this.#pending
    if (checkpointId > this.#newestId) remember(this.#aborted, checkpointId)
    if (pending?.barrier.checkpointId !== checkpointId) return []
    this.#pending = undefined
    return pending.cut ? [] : [{ kind: 'forward-cancel', checkpointId }, { kind: 'unblock-all' }]
  }

  onEndOfPartition(channel: number, now: Moment): readonly BarrierDecision[] {
    this.#open.delete(channel)
    const pending = this.#pending
    if (pending === undefined) return []
    if (pending.cut) {
      return hasCome(pending, channel) ? [] : this.#finishRecording(pending, channel, now)
    }
    if (hasAll(pending, this.#open)) return this.#complete(pending, now)
    return this.#tryUnaligned(pending, now)
  }

  /** The first sign of a checkpoint begins it, and ends an older one (B1, B2). */
  #see(
    barrier: CheckpointBarrier,
    now: Moment,
  ): { readonly pending: PendingBarriers | undefined; readonly decisions: BarrierDecision[] } {
    const { checkpointId } = barrier
    const decisions: BarrierDecision[] = []
    if (checkpointId > this.#newestId) {
      decisions.push(...this.#giveUp('a newer checkpoint began'))
      this.#newestId = checkpointId
      if (this.#aborted.delete(checkpointId)) {
        decisions.push({ kind: 'forward-cancel', checkpointId })
        return { pending: undefined, decisions }
      }
      this.#pending = beginPending(barrier, now)
      const at = deadlineOf(barrier, now)
      if (Number.isFinite(at) && !this.#pending.unaligned) decisions.push({ kind: 'set-timer', at })
    }
    const isPending = this.#pending?.barrier.checkpointId === checkpointId
    return { pending: isPending ? this.#pending : undefined, decisions }
  }

  /** A barrier came, and the snapshot is still to be decided. */
  #arrived(pending: PendingBarriers, channel: number, now: Moment): readonly BarrierDecision[] {
    if (hasAll(pending, this.#open)) return this.#complete(pending, now)
    const started = this.#tryUnaligned(pending, now)
    return started.length > 0 ? started : [{ kind: 'block', channel }]
  }

  /** All barriers are there. */
  #complete(pending: PendingBarriers, now: Moment): readonly BarrierDecision[] {
    if (pending.unaligned) return this.#beginUnaligned(pending, now)
    this.#pending = undefined
    return [alignedSnapshot(pending, now), { kind: 'unblock-all' }]
  }

  /** Begins unaligned if it is time (B5, B7). */
  #tryUnaligned(pending: PendingBarriers, now: Moment): readonly BarrierDecision[] {
    return pending.cut || !pending.unaligned ? [] : this.#beginUnaligned(pending, now)
  }

  #beginUnaligned(pending: PendingBarriers, now: Moment): readonly BarrierDecision[] {
    const record = [...this.#open].filter(channel => !pending.inOrder.has(channel))
    pending.cut = true
    const decisions: BarrierDecision[] = [
      { ...alignedSnapshot(pending, now), barrier: unalignedForm(pending.barrier), record },
      { kind: 'unblock-all' },
    ]
    const { checkpointId } = pending.barrier
    for (const channel of pending.ahead) {
      if (this.#open.has(channel))
        decisions.push({ kind: 'finish-recording', checkpointId, channel })
    }
    return [...decisions, ...this.#tryRecorded(pending, now)]
  }

  #finishRecording(
    pending: PendingBarriers,
    channel: number,
    now: Moment,
  ): readonly BarrierDecision[] {
    const { checkpointId } = pending.barrier
    return [{ kind: 'finish-recording', checkpointId, channel }, ...this.#tryRecorded(pending, now)]
  }

  #tryRecorded(pending: PendingBarriers, now: Moment): readonly BarrierDecision[] {
    if (!hasAll(pending, this.#open)) return []
    this.#pending = undefined
    const { checkpointId } = pending.barrier
    return [{ kind: 'recorded', checkpointId, alignmentMs: alignmentMs(pending, now) }]
  }

  #giveUp(reason: AbortReason): readonly BarrierDecision[] {
    const pending = this.#pending
    if (pending === undefined) return []
    this.#pending = undefined
    const decisions = abort(pending.barrier.checkpointId, reason)
    return pending.cut ? decisions : [...decisions, { kind: 'unblock-all' }]
  }
}

function remember(aborted: Set<number>, checkpointId: number): void {
  aborted.add(checkpointId)
  const [oldest] = aborted
  if (aborted.size > ABORTED_MAX) aborted.delete(oldest as number)
}

function isInTime({ barrier, startedAt }: PendingBarriers, now: Moment): boolean {
  return now.monotonicMs < deadlineOf(barrier, startedAt)
}

function hasCome(pending: PendingBarriers, channel: number): boolean {
  return pending.inOrder.has(channel) || pending.ahead.has(channel)
}
