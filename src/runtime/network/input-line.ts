/**
 * A connection from another slot, seen from the receiver: frames go to their channels, credits go
 * back. The socket is always read: what may arrive is bounded by the credits alone.
 *
 * Invariants
 *  IL1  A frame belongs to a channel of this connection; anything else ends it.
 *  IL2  The failure of a connection is reported once; after the ends of all partitions have come,
 *       the other end may close it.
 *  IL3  Of the credits that a sender may use it has been told of more than half, or will be at the end
 *       of this turn: it never waits for credits that exist.
 */
import type { Socket } from 'node:net'
import { messageOf } from '../../common/errors.ts'
import { FrameReader } from './frame-reader.ts'
import { networkErrors } from './network-errors.ts'
import type { RemoteInput } from './remote-input.ts'
import type { Traffic } from './traffic.ts'
import { type Frame, HEADER_BYTES, putHeader } from './wire-format.ts'

export interface InputLineOptions {
  /** How the other end is called in errors. */
  readonly peer: string
  readonly traffic: Traffic
  failed(error: unknown): void
}

export class InputLine {
  readonly #options: InputLineOptions
  readonly #channels = new Map<number, RemoteInput>()
  /** Credits that were granted and not announced, by channel. */
  readonly #credits = new Map<number, number>()
  #socket: Socket | undefined
  #closed = false
  #scheduled = false
  readonly #announceLater = (): void => {
    this.#scheduled = false
    this.#announce()
  }

  constructor(options: InputLineOptions) {
    this.#options = options
  }

  get isAttached(): boolean {
    return this.#socket !== undefined
  }

  channel(index: number): RemoteInput | undefined {
    return this.#channels.get(index)
  }

  add(index: number, input: RemoteInput): void {
    this.#channels.set(index, input)
  }

  attach(socket: Socket): void {
    if (this.#closed) {
      socket.destroy()
      return
    }
    this.#socket = socket
    const reader = new FrameReader(frame => this.#take(frame))
    socket.on('data', chunk => this.#read(reader, chunk))
    socket.on('error', error => this.fail(messageOf(error)))
    socket.on('end', () => this.fail('it closed the connection'))
    socket.on('close', () => this.fail('the connection is closed'))
    socket.resume()
    if (socket.destroyed) this.fail('the connection is closed')
    this.#announce()
  }

  /** The sender of this channel may send one more frame. */
  grant(index: number): void {
    this.#credits.set(index, (this.#credits.get(index) ?? 0) + 1)
    this.#consider(index)
  }

  fail(reason: string, cause?: unknown): void {
    if (this.#closed) return
    const isOver = this.#isOver()
    this.close()
    if (isOver) return
    const { peer } = this.#options
    this.#options.failed(networkErrors.WEIR_PEER_LOST({ peer, reason }, cause))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket?.destroy()
  }

  #isOver(): boolean {
    if (this.#channels.size === 0) return false
    for (const input of this.#channels.values()) if (!input.isEnded) return false
    return true
  }

  #read(reader: FrameReader, chunk: Buffer): void {
    if (this.#closed) return
    this.#options.traffic.bytesReceived += chunk.length
    try {
      reader.push(chunk)
    } catch (error) {
      this.fail(messageOf(error), error)
    }
  }

  #take(frame: Frame): void {
    if (frame.kind === 'alive') return
    const input = this.#channels.get(frame.channel)
    if (input === undefined) {
      const what = `${frame.kind} for the unknown channel ${frame.channel}`
      throw networkErrors.WEIR_FRAME_MALFORMED({ what })
    }
    this.#options.traffic.framesReceived++
    input.arrived(frame)
    this.#consider(frame.channel)
  }

  /** IL3: a message for each frame would cost as much as reading it. */
  #consider(index: number): void {
    const credits = this.#credits.get(index) ?? 0
    const granted = this.#channels.get(index)?.granted ?? 0
    if (credits === 0 || credits * 2 < granted || this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(this.#announceLater)
  }

  #announce(): void {
    const socket = this.#socket
    if (socket === undefined || this.#closed || this.#credits.size === 0) return
    const bytes = Buffer.allocUnsafe(HEADER_BYTES * this.#credits.size)
    let at = 0
    for (const [channel, amount] of this.#credits) {
      const frame = bytes.subarray(at, at + HEADER_BYTES)
      putHeader(frame, { kind: 'credit', flags: 0, channel, amount })
      at += HEADER_BYTES
    }
    this.#credits.clear()
    this.#options.traffic.bytesSent += bytes.length
    socket.write(bytes)
  }
}
