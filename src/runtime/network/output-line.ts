/**
 * The channels that lead from this slot to another: they share a connection and take turns, a frame
 * each.
 *
 * Owns        which channel sends next, and how far the socket is filled.
 * Leaves out  what waits in a channel (`remote-output.ts`), and the socket (`peer-connection.ts`).
 *
 * Invariants
 *  OL1  At most AHEAD_BYTES and one frame are given to the socket that the kernel has not taken: a
 *       barrier that overtakes waits for no more.
 *  OL2  A channel that may send gets its turn before any other gets two.
 *  OL3  A credit is never lost: one that comes before its channel is there waits for it. Tasks of
 *       two slots are not made at the same time; one that restores a lot comes late.
 */
import type { Duplex } from 'node:stream'
import { decodeCredit } from './credit-frame.ts'
import { networkErrors } from './network-errors.ts'
import { PeerConnection } from './peer-connection.ts'
import type { FrameSender, RemoteOutput } from './remote-output.ts'
import type { Traffic } from './traffic.ts'
import type { Frame } from './wire-format.ts'

export const AHEAD_BYTES = 65_536

export interface LineOptions {
  /** How the other end is called in errors. */
  readonly peer: string
  readonly traffic: Traffic
  readonly silenceMs: number
  failed(error: unknown): void
  /** See `NetworkSettings.silenceMs`. */
  unheard(silentMs: number): void
}

export interface OutputLineOptions extends LineOptions {
  /** Edges of the job: channels have smaller numbers. */
  readonly channelsMax: number
  opened(output: RemoteOutput): void
}

interface EarlyCredits {
  readonly credits: number
  readonly frameBytes: number | undefined
}

export class OutputLine implements FrameSender {
  readonly connection: PeerConnection
  readonly #options: OutputLineOptions
  readonly #channels = new Map<number, RemoteOutput>()
  /** Credits of channels that are not there yet (OL3). */
  readonly #early = new Map<number, EarlyCredits>()
  /** Channels that may send, each once. */
  readonly #ready: RemoteOutput[] = []
  readonly #first: Buffer[] = []
  #pumping = false
  #scheduled = false
  readonly #pumpLater = (): void => {
    this.#scheduled = false
    this.#pump()
  }

  constructor(options: OutputLineOptions) {
    this.#options = options
    this.connection = new PeerConnection({
      ...options,
      failed: error => options.failed(error),
      take: frame => this.#take(frame),
      drained: () => this.#pump(),
      isOver: () => this.#isOver(),
    })
  }

  channel(index: number): RemoteOutput | undefined {
    return this.#channels.get(index)
  }

  add(index: number, output: RemoteOutput): void {
    this.#channels.set(index, output)
    const early = this.#early.get(index)
    this.#early.delete(index)
    if (early?.frameBytes !== undefined) output.resize(early.frameBytes)
    if (early !== undefined) output.grant(early.credits)
  }

  /** The handshake is done: credits come, frames go. */
  attach(socket: Duplex): void {
    this.connection.attach(socket)
    this.#pump()
  }

  ready(output: RemoteOutput, full: boolean): void {
    if (!this.#ready.includes(output)) this.#ready.push(output)
    if (full) this.#pump()
    else this.#schedule()
  }

  sendFirst(frame: Buffer): void {
    this.#first.push(frame)
    this.#pump()
  }

  opened(output: RemoteOutput): void {
    this.#options.opened(output)
  }

  #isOver(): boolean {
    if (!this.connection.isAttached || this.#channels.size === 0) return false
    for (const output of this.#channels.values()) if (!output.isEnded) return false
    return true
  }

  #take(frame: Frame): void {
    const { channel, credits, frameBytes } = decodeCredit(frame)
    if (channel >= this.#options.channelsMax) {
      const what = `credits for the unknown channel ${channel}`
      throw networkErrors.WEIR_FRAME_MALFORMED({ what })
    }
    const output = this.#channels.get(channel)
    if (output === undefined) {
      const before = this.#early.get(channel)
      this.#early.set(channel, {
        credits: (before?.credits ?? 0) + credits,
        frameBytes: frameBytes ?? before?.frameBytes,
      })
      return
    }
    if (frameBytes !== undefined) output.resize(frameBytes)
    output.grant(credits)
  }

  /** Small frames leave together, at the end of the task's turn. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(this.#pumpLater)
  }

  #pump(): void {
    const { connection } = this
    // A channel that gets room may send at once, from within.
    if (this.#pumping || !connection.isOpen) return
    this.#pumping = true
    while (connection.waitingBytes < AHEAD_BYTES) {
      let frame = this.#next()
      if (frame === undefined) break
      connection.cork()
      while (frame !== undefined) {
        this.#options.traffic.framesSent++
        connection.write(frame)
        frame = connection.waitingBytes < AHEAD_BYTES ? this.#next() : undefined
      }
      connection.uncork()
    }
    this.#pumping = false
  }

  /** OL2 */
  #next(): Buffer | undefined {
    const first = this.#first.shift()
    if (first !== undefined) return first
    let output = this.#ready.shift()
    while (output !== undefined && !output.canSend) output = this.#ready.shift()
    if (output === undefined) return undefined
    const frame = output.next()
    if (output.canSend && !this.#ready.includes(output)) this.#ready.push(output)
    return frame
  }
}
