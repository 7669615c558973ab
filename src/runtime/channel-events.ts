/**
 * What the events of a task's input channels mean: watermarks and statuses go to the valve,
 * barriers to the barrier handler, whose decisions are performed here; ends are counted.
 *
 * Invariants
 *  E1  Data of a channel ends once; an input ends with its last channel, the task's input with its
 *      last input.
 *  E2  Operators are told of the end of an input only if every sender drained.
 */
import { assert } from '../common/assert.ts'
import { MAX_TIMESTAMP } from '../common/timestamps.ts'
import {
  type BarrierDecision,
  type BarrierHandler,
  type Moment,
  momentOf,
} from './checkpointing/barrier-decision.ts'
import type { ChannelPriority, InputGate } from './network/input-gate.ts'
import type { ResultPartition } from './network/result-partition.ts'
import type { StreamEvent } from './network/stream-item.ts'
import type { OperatorChain } from './operator-chain.ts'
import type { TaskServices } from './task-services.ts'
import type { TaskSnapshots } from './task-snapshots.ts'
import type { WatermarkValve } from './watermark-valve.ts'

export interface ChannelEventsParts {
  readonly chain: OperatorChain
  readonly gate: InputGate
  readonly valve: WatermarkValve
  readonly barriers: BarrierHandler
  readonly partitions: readonly ResultPartition[]
  readonly snapshots: TaskSnapshots
  readonly services: TaskServices
  /** All inputs are over. */
  endInputs(drain: boolean): void
}

export class ChannelEvents {
  readonly #parts: ChannelEventsParts
  /** Channels that still have data, by input. */
  readonly #open: number[]
  #drain = true
  #timerAt = MAX_TIMESTAMP

  constructor(parts: ChannelEventsParts) {
    this.#parts = parts
    this.#open = parts.chain.inputs.map((_, input) => parts.gate.channelsOf(input))
  }

  /** When `timeUp` has to be called (monotonic ms). */
  get nextTimer(): number {
    return this.#timerAt
  }

  timeUp(): void {
    this.#timerAt = MAX_TIMESTAMP
    this.#perform(this.#parts.barriers.onTimer(this.#now()))
  }

  handlePriority({ barrier, announced, channel }: ChannelPriority): void {
    const { barriers } = this.#parts
    const now = this.#now()
    this.#perform(
      announced
        ? barriers.onAnnounced(barrier, now)
        : barriers.onBarrierAhead(barrier, channel, now),
    )
  }

  /** The job gave a checkpoint up. */
  checkpointAborted(checkpointId: number): void {
    this.#perform(this.#parts.barriers.onAborted(checkpointId))
  }

  handle(event: StreamEvent, channel: number): void {
    const { valve, barriers } = this.#parts
    switch (event.kind) {
      case 'watermark':
        valve.watermarkOn(channel, event.watermark)
        break
      case 'status':
        valve.statusOn(channel, event.status)
        break
      case 'barrier':
        this.#perform(barriers.onBarrier(event.barrier, channel, this.#now()))
        break
      case 'cancel-barrier':
        this.#perform(barriers.onCancel(event.checkpointId))
        break
      case 'end-of-data':
        this.#endData(channel, event.drain)
        break
      case 'end-of-partition':
        this.#perform(barriers.onEndOfPartition(channel, this.#now()))
    }
  }

  #now(): Moment {
    return momentOf(this.#parts.services.clock)
  }

  #perform(decisions: readonly BarrierDecision[]): void {
    const { gate, snapshots, services, partitions } = this.#parts
    for (const decision of decisions) {
      switch (decision.kind) {
        case 'block':
          gate.block(decision.channel)
          break
        case 'unblock-all':
          gate.unblockAll()
          break
        case 'set-timer':
          this.#timerAt = decision.at
          break
        case 'snapshot':
          snapshots.begin(decision)
          break
        case 'finish-recording':
          snapshots.finishRecording(decision.checkpointId, decision.channel)
          break
        case 'recorded':
          snapshots.recorded(decision.checkpointId, decision.alignmentMs)
          break
        case 'abort':
          snapshots.abandon(decision.checkpointId)
          services.listener.declined(decision.checkpointId, decision.reason)
          break
        case 'forward-cancel':
          for (const partition of partitions) {
            partition.broadcast({ kind: 'cancel-barrier', checkpointId: decision.checkpointId })
          }
      }
    }
  }

  #endData(channel: number, drain: boolean): void {
    const { gate, chain, endInputs } = this.#parts
    const input = gate.inputOf(channel)
    const open = (this.#open[input] as number) - 1
    assert(open >= 0, 'E1: data ends once on a channel')
    this.#open[input] = open
    if (!drain) this.#drain = false
    if (open === 0 && this.#drain) chain.endInput(input)
    if (this.#open.every(count => count === 0)) endInputs(this.#drain)
  }
}
