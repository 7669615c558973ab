/**
 * All channels that lead into a task, of all its inputs. Gives one item at a time, channel by
 * channel in turn, so that no channel starves; a blocked channel is passed over until it is
 * unblocked.
 */
import { assertDefined } from '../../common/assert.ts'
import type { InputChannel, InputListener } from './channel.ts'
import type { StreamItem } from './stream-item.ts'

export interface GateChannel {
  readonly channel: InputChannel
  /** Which input of the head operator it feeds. */
  readonly input: number
}

export class InputGate {
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
    return assertDefined(this.#channels[channel], `channel ${channel} exists`).input
  }

  /** How many channels feed this input. */
  channelsOf(input: number): number {
    return this.#channels.filter(channel => channel.input === input).length
  }

  listen(listener: InputListener): void {
    for (const { channel } of this.#channels) channel.listen(listener)
  }

  block(channel: number): void {
    this.#blocked[channel] = 1
  }

  unblock(channel: number): void {
    this.#blocked[channel] = 0
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
}
