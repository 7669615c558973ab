/**
 * A connection to another slot after its handshake: frames in, frames out, and how it ends. The
 * lines say what the frames mean.
 *
 * Owns        the socket, its failure and its end; signs of life where there is nothing to say.
 * Leaves out  channels and credits (`output-line.ts`, `input-line.ts`).
 *
 * Invariants
 *  PN1  A failure is reported once, and nothing is taken after it.
 *  PN2  When all that is to be said was said, either end may close: that is no failure.
 *  PN3  That nothing was heard for `silenceMs` is told again and again, unless this process was not
 *       able to listen. Whether the connection or the other end is at fault cannot be told here.
 */
import type { Duplex } from 'node:stream'
import { isWeirError, messageOf } from '../../common/errors.ts'
import { FrameReader } from './frame-reader.ts'
import { networkErrors } from './network-errors.ts'
import type { Traffic } from './traffic.ts'
import { type Frame, HEADER_BYTES, putHeader } from './wire-format.ts'

export interface PeerConnectionOptions {
  /** How the other end is called in errors. */
  readonly peer: string
  readonly traffic: Traffic
  readonly silenceMs: number
  /** Throws WEIR_FRAME_MALFORMED for one that has no place here. */
  take(frame: Frame): void
  /** The kernel took everything. */
  drained(): void
  /** Nothing more has to be said or heard. */
  isOver(): boolean
  failed(error: unknown): void
  unheard(silentMs: number): void
}

export class PeerConnection {
  readonly #options: PeerConnectionOptions
  #socket: Duplex | undefined
  #closed = false
  /** Since the last `tick`. */
  #hasSent = false
  #hasHeard = false
  #silentMs = 0

  constructor(options: PeerConnectionOptions) {
    this.#options = options
  }

  get isAttached(): boolean {
    return this.#socket !== undefined
  }

  /** Open for writing. */
  get isOpen(): boolean {
    return this.#socket !== undefined && !this.#closed
  }

  /** Bytes that the kernel has not taken. */
  get waitingBytes(): number {
    return this.#socket?.writableLength ?? 0
  }

  attach(socket: Duplex): void {
    if (this.#closed) {
      socket.destroy()
      return
    }
    this.#socket = socket
    const reader = new FrameReader(frame => {
      if (frame.kind !== 'alive') this.#options.take(frame)
    })
    socket.on('data', chunk => this.#read(reader, chunk))
    socket.on('drain', () => this.#options.drained())
    socket.on('error', error => this.fail(messageOf(error)))
    socket.on('end', () => this.fail('it closed the connection'))
    socket.on('close', () => this.fail('the connection is closed'))
    socket.resume()
    if (socket.destroyed) this.fail('the connection is closed')
  }

  /** Several writes until `uncork` leave together. */
  cork(): void {
    this.#socket?.cork()
  }

  uncork(): void {
    this.#socket?.uncork()
  }

  write(bytes: Buffer): void {
    this.#hasSent = true
    this.#options.traffic.bytesSent += bytes.length
    this.#socket?.write(bytes)
  }

  /** Some time passed, in which this process was able to listen. PN3 */
  tick(passedMs: number): void {
    if (!this.isOpen) return
    this.#silentMs = this.#hasHeard ? 0 : this.#silentMs + passedMs
    const { silenceMs, unheard } = this.#options
    if (this.#silentMs >= silenceMs) unheard(this.#silentMs)
    if (!this.#hasSent) this.write(aliveFrame())
    this.#hasSent = false
    this.#hasHeard = false
  }

  fail(reason: string, cause?: unknown): void {
    const { peer } = this.#options
    this.#failWith(networkErrors.WEIR_PEER_LOST({ peer, reason }, cause))
  }

  /** Ends it: by a farewell when all was said, else at once. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    // The other end closes too when it has read everything. Until then this one reads on: to close
    // with unread bytes would throw away what is still on its way.
    if (this.#options.isOver()) this.#socket?.end()
    else this.#socket?.destroy()
  }

  #failWith(error: unknown): void {
    if (this.#closed) return
    const isOver = this.#options.isOver()
    this.close()
    if (!isOver) this.#options.failed(error)
  }

  #read(reader: FrameReader, chunk: Buffer): void {
    if (this.#closed) return
    this.#hasHeard = true
    this.#options.traffic.bytesReceived += chunk.length
    try {
      reader.push(chunk)
    } catch (error) {
      const isTheirs = isWeirError(error) && error.code === 'WEIR_FRAME_MALFORMED'
      if (isTheirs) this.fail(messageOf(error), error)
      else this.#failWith(error)
    }
  }
}

function aliveFrame(): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES)
  putHeader(frame, { kind: 'alive', flags: 0, channel: 0, amount: 0 })
  return frame
}
