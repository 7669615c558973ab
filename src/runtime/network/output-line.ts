/**
 * A connection to another slot, seen from the sender: the channels that lead there take turns, a
 * frame each.
 *
 * Owns        which channel sends next, and how far the socket is filled.
 * Leaves out  what waits in a channel (`remote-output.ts`), and how the socket came to be.
 *
 * Invariants
 *  OL1  The socket holds at most AHEAD_BYTES and one frame that the kernel has not taken: a barrier
 *       that overtakes waits for no more.
 *  OL2  A channel that may send gets its turn before any other gets two.
 *  OL4  A credit is never lost: one that comes before its channel is there waits for it. Tasks of
 *       two slots are not made at the same time; one that restores a lot comes late.
 *  OL3  The failure of a connection is reported once; after the ends of all partitions have left,
 *       the other end may close it.
 */
import type { Socket } from 'node:net'
import { messageOf } from '../../common/errors.ts'
import { FrameReader } from './frame-reader.ts'
import { networkErrors } from './network-errors.ts'
import type { FrameSender, RemoteOutput } from './remote-output.ts'
import type { Traffic } from './traffic.ts'
import type { Frame } from './wire-format.ts'

export const AHEAD_BYTES = 65_536

export interface OutputLineOptions {
  /** How the other end is called in errors. */
  readonly peer: string
  readonly traffic: Traffic
  /** Edges of the job: channels have smaller numbers. */
  readonly channelsMax: number
  opened(output: RemoteOutput): void
  failed(error: unknown): void
}

export class OutputLine implements FrameSender {
  readonly #options: OutputLineOptions
  readonly #channels = new Map<number, RemoteOutput>()
  /** Credits of channels that are not there yet (OL4). */
  readonly #early = new Map<number, number>()
  /** Channels that may send, each once. */
  readonly #ready: RemoteOutput[] = []
  readonly #first: Buffer[] = []
  #socket: Socket | undefined
  #closed = false
  #pumping = false
  #scheduled = false
  readonly #pumpLater = (): void => {
    this.#scheduled = false
    this.#pump()
  }

  constructor(options: OutputLineOptions) {
    this.#options = options
  }

  channel(index: number): RemoteOutput | undefined {
    return this.#channels.get(index)
  }

  add(index: number, output: RemoteOutput): void {
    this.#channels.set(index, output)
    const credits = this.#early.get(index) ?? 0
    this.#early.delete(index)
    if (credits > 0) output.grant(credits)
  }

  /** The handshake is done: credits come, frames go. */
  attach(socket: Socket): void {
    if (this.#closed) {
      socket.destroy()
      return
    }
    this.#socket = socket
    const reader = new FrameReader(frame => this.#take(frame))
    socket.on('data', chunk => this.#read(reader, chunk))
    socket.on('drain', () => this.#pump())
    socket.on('error', error => this.fail(messageOf(error)))
    socket.on('end', () => this.fail('it closed the connection'))
    socket.on('close', () => this.fail('the connection is closed'))
    socket.resume()
    if (socket.destroyed) this.fail('the connection is closed')
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

  /** Reports the failure, unless the connection was over. */
  fail(reason: string, cause?: unknown): void {
    if (this.#closed) return
    const isOver = this.#isOver()
    this.close()
    if (isOver) return
    const { peer } = this.#options
    this.#options.failed(networkErrors.WEIR_PEER_LOST({ peer, reason }, cause))
  }

  /** Ends the connection: after its last bytes when all partitions ended, else at once. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const socket = this.#socket
    if (socket === undefined) return
    if (this.#isOver()) socket.end()
    else socket.destroy()
  }

  #isOver(): boolean {
    if (this.#socket === undefined || this.#channels.size === 0) return false
    for (const output of this.#channels.values()) if (!output.isEnded) return false
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
    const { kind, channel, amount } = frame
    if (kind !== 'credit' || channel >= this.#options.channelsMax) {
      const what = `${kind} for channel ${channel} where credits are due`
      throw networkErrors.WEIR_FRAME_MALFORMED({ what })
    }
    const output = this.#channels.get(channel)
    if (output === undefined) this.#early.set(channel, (this.#early.get(channel) ?? 0) + amount)
    else output.grant(amount)
  }

  /** Small frames leave together, at the end of the task's turn. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(this.#pumpLater)
  }

  #pump(): void {
    const socket = this.#socket
    const { traffic } = this.#options
    if (socket === undefined || this.#closed || this.#pumping) return
    this.#pumping = true
    while (socket.writableLength < AHEAD_BYTES) {
      let frame = this.#next()
      if (frame === undefined) break
      socket.cork()
      while (frame !== undefined) {
        traffic.framesSent++
        traffic.bytesSent += frame.length
        socket.write(frame)
        frame = socket.writableLength < AHEAD_BYTES ? this.#next() : undefined
      }
      socket.uncork()
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
