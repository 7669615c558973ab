/**
 * Length-prefixed messages on a stream, while the other end is not trusted yet: small, one at a
 * time, and each within a time.
 */
import type { Duplex } from 'node:stream'
import type { Clock } from '../../common/clock.ts'
import { messageOf } from '../../common/errors.ts'
import { networkErrors } from './network-errors.ts'

/** A hello or a refusal with long names. */
export const MESSAGE_BYTES_MAX = 1024
const LENGTH_BYTES = 2
/** A hello and a proof may come together. */
const HELD_BYTES_MAX = 2 * (LENGTH_BYTES + MESSAGE_BYTES_MAX)

export interface HandshakeStreamOptions {
  readonly stream: Duplex
  readonly clock: Clock
  /** How the other end is called in errors. */
  readonly peer: string
}

interface Waiter {
  resolve(message: Buffer): void
  reject(error: unknown): void
}

export class HandshakeStream {
  readonly #options: HandshakeStreamOptions
  /** At most one message and its length, or the error that ended the stream. */
  #held: Buffer = Buffer.alloc(0)
  #error: unknown
  #waiter: Waiter | undefined
  /** No message is due: whatever comes is wrong. */
  #quiet = false
  /** The other end has proven itself: what follows its message may be of any size. */
  #trusted = false
  readonly #onData = (chunk: Buffer): void => this.#take(chunk)
  readonly #onEnd = (): void => this.#fail(this.#lost('it closed the connection'))
  readonly #onError = (error: unknown): void => this.#fail(this.#lost(messageOf(error)))

  constructor(options: HandshakeStreamOptions) {
    this.#options = options
    const { stream } = options
    // Stays for good: an error between two owners must not end the process.
    stream.on('error', () => {})
    stream.on('error', this.#onError)
    stream.on('end', this.#onEnd)
    stream.on('close', this.#onEnd)
    stream.on('data', this.#onData)
    if (stream.destroyed) this.#onEnd()
  }

  write(message: Buffer): void {
    const framed = Buffer.allocUnsafe(LENGTH_BYTES + message.length)
    framed.writeUInt16BE(message.length, 0)
    message.copy(framed, LENGTH_BYTES)
    this.#options.stream.write(framed)
  }

  /** The next message. Rejects when the stream ends, says nothing in time or too much. */
  async read(awaited: string, timeoutMs: number): Promise<Buffer> {
    const { clock, peer } = this.#options
    const timer = clock.schedule(timeoutMs, () => {
      this.#fail(networkErrors.WEIR_PEER_SILENT({ peer, awaited, timeoutMs }))
    })
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        this.#waiter = { resolve, reject }
        this.#settle()
      })
    } finally {
      timer.cancel()
    }
  }

  /** From now on the other end is known. */
  trust(): void {
    this.#trusted = true
  }

  /** Waits for something else; rejects when the other end goes, or speaks unasked. */
  async whileQuiet<T>(work: () => Promise<T>): Promise<T> {
    this.#quiet = true
    if (this.#held.length > 0) this.#take(Buffer.alloc(0))
    const broken = new Promise<never>((_, reject) => {
      this.#waiter = { resolve: () => {}, reject }
      this.#settle()
    })
    try {
      return await Promise.race([work(), broken])
    } finally {
      this.#quiet = false
      this.#waiter = undefined
    }
  }

  /** Hands the stream on, paused, with what was read too much put back. */
  release(): void {
    const { stream } = this.#options
    this.#detach()
    stream.pause()
    if (this.#held.length > 0) stream.unshift(this.#held)
  }

  /** Ends the stream; what was written still leaves. */
  abandon(): void {
    const { stream, clock } = this.#options
    this.#detach()
    stream.resume()
    stream.end()
    clock.schedule(LINGER_MS, () => stream.destroy())
  }

  #detach(): void {
    const { stream } = this.#options
    stream.off('error', this.#onError)
    stream.off('end', this.#onEnd)
    stream.off('close', this.#onEnd)
    stream.off('data', this.#onData)
  }

  #take(chunk: Buffer): void {
    const { peer, stream } = this.#options
    const held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const announced = held.length < LENGTH_BYTES ? 0 : held.readUInt16BE(0)
    let what: string | undefined
    if (this.#quiet && held.length > 0) what = 'it spoke out of turn'
    else if (announced > MESSAGE_BYTES_MAX) what = `a message of ${announced} bytes`
    else if (held.length > HELD_BYTES_MAX && !this.#trusted) what = `${held.length} bytes at once`
    if (what !== undefined) {
      this.#held = Buffer.alloc(0)
      this.#fail(networkErrors.WEIR_HANDSHAKE_MALFORMED({ peer, what }))
      return
    }
    this.#held = held
    if (this.#messageEnd() !== undefined) stream.pause()
    this.#settle()
  }

  /** Where the first held message ends, if it is whole. */
  #messageEnd(): number | undefined {
    if (this.#held.length < LENGTH_BYTES) return undefined
    const end = LENGTH_BYTES + this.#held.readUInt16BE(0)
    return end <= this.#held.length ? end : undefined
  }

  #settle(): void {
    const waiter = this.#waiter
    if (waiter === undefined) return
    const end = this.#messageEnd()
    if (end !== undefined && !this.#quiet) {
      const message = Buffer.from(this.#held.subarray(LENGTH_BYTES, end))
      this.#held = this.#held.subarray(end)
      this.#waiter = undefined
      if (this.#messageEnd() === undefined) this.#options.stream.resume()
      waiter.resolve(message)
    } else if (this.#error !== undefined) {
      this.#waiter = undefined
      waiter.reject(this.#error)
    }
  }

  #fail(error: unknown): void {
    this.#error ??= error
    this.#settle()
  }

  #lost(reason: string): Error {
    return networkErrors.WEIR_PEER_LOST({ peer: this.#options.peer, reason })
  }
}

/** Long enough for a verdict to arrive, short enough for a stranger. */
const LINGER_MS = 1_000
