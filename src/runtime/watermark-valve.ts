/**
 * Combines the watermarks and statuses of a task's input channels into one of each.
 *
 * Owns        per channel: its watermark, whether it is active and aligned; what was emitted.
 * Leaves out  where channels come from, and which input of an operator they feed: an operator with
 *             two inputs follows the smaller watermark, which is the smallest over all channels.
 *
 * Invariants
 *  V1  Emitted watermarks only grow.
 *  V2  While a channel is active, the output never passes the watermark of an aligned channel.
 *  V3  The output is idle while there are unfinished channels and none of them is active.
 *  V4  MAX is emitted when every channel has sent it, and not before.
 *
 * A channel that turns active behind the output is not aligned until it has caught up: it can no
 * longer hold back what was already promised.
 *
 * FLINK-40475: the smallest watermark is derived anew when a channel turns active, and the largest
 * is flushed whenever the last channel turns idle. FLINK-38477: a finished channel (watermark MAX)
 * does not count while an unfinished one is idle.
 */
import { assert } from '../common/assert.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { WatermarkStatus } from './stream-operator.ts'

export interface ValveOutput {
  emitWatermark(watermark: number): void
  emitStatus(status: WatermarkStatus): void
}

/** Where a channel stands: what a snapshot keeps of it. */
export interface ChannelMark {
  readonly watermark: number
  readonly status: WatermarkStatus
}

interface ChannelState {
  watermark: number
  active: boolean
  aligned: boolean
}

export class WatermarkValve {
  readonly #channels: readonly ChannelState[]
  readonly #output: ValveOutput
  #emitted = MIN_TIMESTAMP
  #active = true

  constructor(channelCount: number, output: ValveOutput) {
    assert(channelCount > 0, 'a valve has a channel')
    this.#output = output
    this.#channels = Array.from({ length: channelCount }, () => ({
      watermark: MIN_TIMESTAMP,
      active: true,
      aligned: true,
    }))
  }

  /** The last watermark emitted. */
  get watermark(): number {
    return this.#emitted
  }

  get status(): WatermarkStatus {
    return this.#active ? 'active' : 'idle'
  }

  /** By channel. */
  marks(): readonly ChannelMark[] {
    return this.#channels.map(({ watermark, active }) => ({
      watermark,
      status: active ? 'active' : 'idle',
    }))
  }

  /** Takes the place of another valve of the same output: goes on from what that one promised. */
  succeed(valve: WatermarkValve): void {
    assert(this.#emitted === MIN_TIMESTAMP, 'V1: a valve succeeds before it emits')
    this.#emitted = valve.watermark
    if (valve.status === 'idle') this.#output.emitStatus('active')
  }

  /** Takes up marks, as if each channel had sent its own. */
  restore(marks: readonly ChannelMark[]): void {
    marks.forEach(({ watermark }, channel) => {
      if (watermark > MIN_TIMESTAMP) this.watermarkOn(channel, watermark)
    })
    marks.forEach(({ status }, channel) => {
      this.statusOn(channel, status)
    })
  }

  /** The channels that hold the watermark where it is; for diagnosis. */
  laggards(): readonly number[] {
    const least = this.#least()
    return this.#channels.flatMap((channel, index) =>
      channel.aligned && channel.watermark === least ? [index] : [],
    )
  }

  /** MAX ends the channel: it is taken whatever the channel's status, and nothing follows it. */
  watermarkOn(index: number, watermark: number): void {
    const channel = this.#channel(index)
    if (watermark === MAX_TIMESTAMP) {
      this.#finish(channel)
      return
    }
    if (!this.#active || !channel.active || watermark <= channel.watermark) return
    channel.watermark = watermark
    if (!channel.aligned && watermark >= this.#emitted) channel.aligned = true
    if (channel.aligned) this.#advance(this.#least())
  }

  statusOn(index: number, status: WatermarkStatus): void {
    const channel = this.#channel(index)
    if (isFinished(channel) || channel.active === (status === 'active')) return
    if (status === 'idle') this.#turnIdle(channel)
    else this.#turnActive(channel)
  }

  #finish(channel: ChannelState): void {
    channel.watermark = MAX_TIMESTAMP
    if (this.#channels.every(isFinished)) this.#advance(MAX_TIMESTAMP)
    else if (this.#anyActive()) this.#advance(this.#least())
    // With only idle channels left, what was held for this one may pass, and all is idle.
    else if (this.#active) this.#goIdle()
  }

  #turnIdle(channel: ChannelState): void {
    channel.active = false
    channel.aligned = false
    if (!this.#anyActive()) this.#goIdle()
    else if (channel.watermark === this.#emitted) this.#advance(this.#least())
  }

  #turnActive(channel: ChannelState): void {
    channel.active = true
    if (channel.watermark >= this.#emitted) channel.aligned = true
    if (!this.#active) {
      this.#active = true
      this.#output.emitStatus('active')
    }
    this.#advance(this.#least())
  }

  #goIdle(): void {
    this.#advance(this.#greatestIdle())
    this.#active = false
    this.#output.emitStatus('idle')
  }

  #advance(watermark: number): void {
    if (watermark <= this.#emitted) return
    this.#emitted = watermark
    this.#output.emitWatermark(watermark)
  }

  #anyActive(): boolean {
    return this.#channels.some(channel => channel.active && !isFinished(channel))
  }

  /** The smallest of the aligned channels; MIN, which emits nothing, where there is none. */
  #least(): number {
    let least = MAX_TIMESTAMP
    for (const channel of this.#channels) {
      if (channel.aligned && channel.watermark < least) least = channel.watermark
    }
    return least === MAX_TIMESTAMP ? MIN_TIMESTAMP : least
  }

  #greatestIdle(): number {
    let greatest = MIN_TIMESTAMP
    for (const channel of this.#channels) {
      if (!isFinished(channel) && channel.watermark > greatest) greatest = channel.watermark
    }
    return greatest
  }

  #channel(index: number): ChannelState {
    const channel = this.#channels[index]
    assert(channel !== undefined, `channel ${index} exists`)
    return channel
  }
}

function isFinished(channel: ChannelState): boolean {
  return channel.watermark === MAX_TIMESTAMP
}
