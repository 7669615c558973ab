/**
 * The watermark valve as Flink has it, before and after FLINK-40475: the smallest watermark is looked
 * for again when a channel turns active, and the greatest is sent whenever all channels are idle.
 */
export interface ValveOp {
  readonly ch: number
  readonly wm?: number
  readonly status?: 'idle' | 'active'
}

interface Channel {
  watermark: number
  active: boolean
  aligned: boolean
}

export class ValveModel {
  readonly #mended: boolean
  readonly #channels: readonly Channel[]
  #sent = Number.NEGATIVE_INFINITY
  #active = true
  #out: unknown[] = []

  constructor(channels: number, { mended }: { readonly mended: boolean }) {
    this.#mended = mended
    this.#channels = Array.from({ length: channels }, () => ({
      watermark: Number.NEGATIVE_INFINITY,
      active: true,
      aligned: true,
    }))
  }

  run({ ch, wm, status }: ValveOp): readonly unknown[] {
    this.#out = []
    const channel = this.#channels[ch]
    if (channel === undefined) throw new Error(`no channel ${ch}`)
    if (wm !== undefined) this.#watermark(channel, wm)
    else if (status === 'idle' && channel.active) this.#turnIdle(channel)
    else if (status === 'active' && !channel.active) this.#turnActive(channel)
    return this.#out
  }

  #watermark(channel: Channel, watermark: number): void {
    if (!this.#active || !channel.active || watermark <= channel.watermark) return
    channel.watermark = watermark
    channel.aligned ||= watermark >= this.#sent
    this.#sendLeast()
  }

  #turnIdle(channel: Channel): void {
    channel.active = false
    channel.aligned = false
    const heldBack = channel.watermark === this.#sent
    if (this.#channels.some(({ active }) => active)) {
      if (heldBack) this.#sendLeast()
      return
    }
    if (heldBack || this.#mended) this.#send(Math.max(...this.#channels.map(one => one.watermark)))
    this.#active = false
    this.#out.push({ status: 'idle' })
  }

  #turnActive(channel: Channel): void {
    channel.active = true
    channel.aligned ||= channel.watermark >= this.#sent
    if (!this.#active) this.#out.push({ status: 'active' })
    this.#active = true
    if (this.#mended) this.#sendLeast()
  }

  #sendLeast(): void {
    const aligned = this.#channels.filter(one => one.aligned)
    if (aligned.length > 0) this.#send(Math.min(...aligned.map(one => one.watermark)))
  }

  #send(watermark: number): void {
    if (watermark <= this.#sent) return
    this.#sent = watermark
    this.#out.push({ wm: watermark })
  }
}
