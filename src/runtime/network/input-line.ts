/**
 * The channels that lead from another slot to this one: frames go to their channels, credits go
 * back. The socket is always read: what may arrive is bounded by the credits alone.
 *
 * Invariants
 *  IL1  A frame belongs to a channel of this connection; anything else ends it.
 *  IL2  Of the credits that a sender may use it has been told of more than half, or will be at the
 *       end of this turn: it never waits for credits that exist.
 */
import type { Duplex } from 'node:stream'
import { encodeCredit } from './credit-frame.ts'
import { networkErrors } from './network-errors.ts'
import type { LineOptions } from './output-line.ts'
import { PeerConnection } from './peer-connection.ts'
import type { RemoteInput } from './remote-input.ts'
import type { Frame } from './wire-format.ts'

export class InputLine {
  readonly connection: PeerConnection
  readonly #options: LineOptions
  readonly #channels = new Map<number, RemoteInput>()
  /** Credits that were granted and not announced, by channel. */
  readonly #credits = new Map<number, number>()
  /** Frame sizes that were not announced, by channel; each has an entry in `#credits` too. */
  readonly #sizes = new Map<number, number>()
  #scheduled = false
  readonly #announceLater = (): void => {
    this.#scheduled = false
    this.#announce()
  }

  constructor(options: LineOptions) {
    this.#options = options
    this.connection = new PeerConnection({
      ...options,
      failed: error => options.failed(error),
      take: frame => this.#take(frame),
      drained: () => {},
      isOver: () => this.#isOver(),
    })
  }

  channel(index: number): RemoteInput | undefined {
    return this.#channels.get(index)
  }

  add(index: number, input: RemoteInput): void {
    this.#channels.set(index, input)
  }

  attach(socket: Duplex): void {
    this.connection.attach(socket)
    this.#announce()
  }

  /** The sender of this channel may send one more frame. */
  grant(index: number): void {
    this.#credits.set(index, (this.#credits.get(index) ?? 0) + 1)
    this.#consider(index)
  }

  /** The sender of this channel should send frames of another size. */
  resize(index: number, frameBytes: number): void {
    this.#sizes.set(index, frameBytes)
    this.#credits.set(index, this.#credits.get(index) ?? 0)
    this.#schedule()
  }

  #isOver(): boolean {
    if (this.#channels.size === 0) return false
    for (const input of this.#channels.values()) if (!input.isEnded) return false
    return true
  }

  #take(frame: Frame): void {
    const input = this.#channels.get(frame.channel)
    if (input === undefined) {
      const what = `${frame.kind} for the unknown channel ${frame.channel}`
      throw networkErrors.WEIR_FRAME_MALFORMED({ what })
    }
    this.#options.traffic.framesReceived++
    input.arrived(frame)
    this.#consider(frame.channel)
  }

  /** IL2: a message for each frame would cost as much as reading it. */
  #consider(index: number): void {
    const credits = this.#credits.get(index) ?? 0
    const granted = this.#channels.get(index)?.granted ?? 0
    if (credits > 0 && credits * 2 >= granted) this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(this.#announceLater)
  }

  #announce(): void {
    if (!this.connection.isOpen || this.#credits.size === 0) return
    const frames: Buffer[] = []
    for (const [channel, credits] of this.#credits) {
      const frameBytes = this.#sizes.get(channel)
      frames.push(encodeCredit({ channel, credits, frameBytes }))
    }
    this.#credits.clear()
    this.#sizes.clear()
    this.connection.write(frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames))
  }
}
