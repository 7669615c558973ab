/**
 * All channels that lead into a task, of all its inputs. Gives one item at a time, channel by
 * channel in turn, so that no channel starves; a blocked channel is passed over until it is
 * unblocked.
 *
 * Owns        which channels are blocked, and the batch that the task is taking records from.
 * Leaves out  what barriers mean (`checkpointing/`).
 *
 * Invariants
 *  G1  While a batch is open nothing is polled; what is left of it is data of its channel.
 */
import { assert, assertDefined } from '../../common/assert.ts'
import type { InFlightItem, InputChannel, InputListener, PriorityBarrier } from './channel.ts'
import { RecordBatch, type StreamItem } from './stream-item.ts'

export interface GateChannel {
  readonly channel: InputChannel
  /** Which input of the head operator it feeds. */
  readonly input: number
}

export interface ChannelPriority extends PriorityBarrier {
  readonly channel: number
}

export class InputGate {
  /** What the task takes records from, and the place of the next one. Its loop's own fields. */
  batch: RecordBatch | undefined
  batchAt = 0
  /** Some channel may have something for `pollPriority`. */
  hasPriority = true
  readonly #channels: readonly GateChannel[]
  readonly #blocked: Uint8Array
  #next = 0
  #polled = 0

  constructor(channels: readonly GateChannel[]) {
    this.#channels = channels
    this.#blocked = new Uint8Array(channels.length)
  }

  get channelCount(): number {
    return this.#channels.length
  }

  /** The channel of the item that `poll` gave last. */
  get polledChannel(): number {
    return this.#polled
  }

  inputOf(channel: number): number {
    return this.#at(channel).input
  }

  /** How many channels feed this input. */
  channelsOf(input: number): number {
    return this.#channels.filter(channel => channel.input === input).length
  }

  listen({ whenData, whenPriority }: InputListener): void {
    const listener: InputListener = {
      whenData,
      whenPriority: () => {
        this.hasPriority = true
        whenPriority()
      },
    }
    for (const { channel } of this.#channels) channel.listen(listener)
  }

  block(channel: number): void {
    this.#blocked[channel] = 1
  }

  unblockAll(): void {
    this.#blocked.fill(0)
  }

  poll(): StreamItem | undefined {
    const channels = this.#channels
    let at = this.#next
    for (let i = 0; i < channels.length; i++) {
      if (at >= channels.length) at = 0
      if (this.#blocked[at] === 0) {
        const item = (channels[at] as GateChannel).channel.poll()
        if (item !== undefined) {
          this.#polled = at
          this.#next = at + 1
          return item
        }
      }
      at++
    }
    return undefined
  }

  /** Also of blocked channels. */
  pollPriority(): ChannelPriority | undefined {
    for (const [index, { channel }] of this.#channels.entries()) {
      const priority = channel.pollPriority()
      if (priority !== undefined) return { ...priority, channel: index }
    }
    this.hasPriority = false
    return undefined
  }

  /** As of the channel, and what is left of the open batch before it (G1). */
  beginRecording(channel: number, checkpointId: number): readonly InFlightItem[] {
    const items = this.#at(channel).channel.beginRecording(checkpointId)
    const { batch, batchAt } = this
    if (batch === undefined || channel !== this.#polled) return items
    assert(batchAt % 2 === 0 && batchAt < batch.size * 2, 'G1: an open batch has records left')
    const left = batch.items.slice(batchAt, batch.size * 2)
    return [new RecordBatch(left, left.length / 2), ...items]
  }

  endRecording(channel: number, checkpointId: number): readonly InFlightItem[] {
    return this.#at(channel).channel.endRecording(checkpointId)
  }

  #at(channel: number): GateChannel {
    return assertDefined(this.#channels[channel], `channel ${channel} exists`)
  }
}
