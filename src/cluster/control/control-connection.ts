/**
 * One end of a control connection: messages out, checked messages in, heartbeats both ways.
 *
 * Owns        the socket, its frames, and whether the other end lives.
 * Leaves out  the handshake before it (`runtime/network/handshake.ts`), what messages mean, and the
 *             thread that it runs in (`run-control-thread.ts`).
 *
 * Invariants
 *  K1  Messages arrive in the order they were sent, and none after `onClosed`.
 *  K2  `onClosed` is called once, unless this end closed.
 *  K3  A message that its schema refuses closes the connection.
 */
import type { Socket } from 'node:net'
import type { z } from 'zod'
import type { Clock, TimerHandle } from '../../common/clock.ts'
import { formatDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import { clusterErrors } from '../cluster-errors.ts'
import { type HeartbeatTimes, HeartbeatWatch } from './heartbeat-watch.ts'
import { encodeMessage, MessageDecoder } from './message-frames.ts'

/**
 * Why a connection is over. `silent`: the other end may still live; `stalled`: this one stood
 * still itself.
 */
export interface ConnectionEnd {
  readonly cause: 'closed' | 'silent' | 'stalled' | 'broken'
  /** Follows "the connection to …". */
  readonly how: string
  /** What this end could not make sense of. */
  readonly error?: unknown
}

export interface ControlConnectionOptions<S extends z.ZodType> {
  readonly socket: Socket
  readonly schema: S
  readonly clock: Clock
  readonly times: HeartbeatTimes
  /** The heartbeat to be sent now. */
  readonly beat: () => unknown
  readonly onMessage: (message: z.output<S>) => void
  readonly onClosed: (end: ConnectionEnd) => void
}

const stalled: ConnectionEnd = {
  cause: 'stalled',
  how: 'was given up: this process stood still too long itself',
}

export class ControlConnection<S extends z.ZodType> {
  readonly #options: ControlConnectionOptions<S>
  readonly #decoder = new MessageDecoder()
  readonly #watch: HeartbeatWatch
  #times: HeartbeatTimes
  #timer: TimerHandle | undefined
  #closed = false

  constructor(options: ControlConnectionOptions<S>) {
    const { socket, clock, times } = options
    this.#options = options
    this.#times = times
    this.#watch = new HeartbeatWatch(times, clock.monotonic())
    socket.setNoDelay(true)
    socket.on('data', chunk => this.#take(chunk))
    socket.on('error', error => {
      this.#lost({ cause: 'closed', how: `failed: ${messageOf(error)}` })
    })
    socket.on('close', () => this.#lost({ cause: 'closed', how: 'was closed' }))
    // The handshake hands it on paused.
    socket.resume()
    this.#schedule()
  }

  get isOpen(): boolean {
    return !this.#closed
  }

  send(message: unknown): void {
    if (!this.#closed) this.#options.socket.write(encodeMessage(message))
  }

  /** Takes these times from now on. */
  change(times: HeartbeatTimes): void {
    this.#times = times
    this.#watch.change(times, this.#options.clock.monotonic())
    this.#schedule()
  }

  /** Ends it from this side; what was sent before still leaves. Resolves when it has. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#end()
    const { clock, socket } = this.#options
    const closed = new Promise<void>(resolve => void socket.once('close', () => resolve()))
    socket.end()
    // An end that does not answer would keep the socket for ever.
    const timer = clock.schedule(this.#times.timeoutMs, () => socket.destroy())
    await closed
    timer.cancel()
  }

  /** Ends it at once, as if the other end had: what this one waits for will not come. */
  drop(): void {
    this.#lost({ cause: 'closed', how: 'was closed' })
  }

  #schedule(): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.schedule(this.#times.intervalMs, () => {
      this.#schedule()
      this.#look()
    })
  }

  #look(): void {
    const verdict = this.#watch.look(this.#options.clock.monotonic())
    const { timeoutMs } = this.#watch.times
    if (verdict === 'silent') {
      this.#lost({ cause: 'silent', how: `was silent for ${formatDuration(timeoutMs)}` })
    } else if (verdict === 'stalled') this.#lost(stalled)
    else this.send(this.#options.beat())
  }

  #take(chunk: Buffer): void {
    if (this.#closed) return
    if (this.#watch.heard(this.#options.clock.monotonic()) === 'stalled') {
      this.#lost(stalled)
      return
    }
    try {
      for (const message of this.#decoder.push(chunk)) {
        this.#options.onMessage(this.#check(message))
        if (this.#closed) return
      }
    } catch (error) {
      this.#lost({ cause: 'broken', how: `cannot go on: ${messageOf(error)}`, error })
    }
  }

  #check(message: unknown): z.output<S> {
    const { success, data, error } = this.#options.schema.safeParse(message)
    if (success) return data
    const { path, message: problem } = error.issues[0] ?? { path: [], message: 'nothing is known' }
    const reason = `${[...path, problem].join(': ')}`
    throw clusterErrors.WEIR_CONTROL_MALFORMED({ reason })
  }

  #lost(end: ConnectionEnd): void {
    if (this.#closed) return
    this.#end()
    this.#options.socket.destroy()
    this.#options.onClosed(end)
  }

  #end(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#timer = undefined
    // What still arrives is of no use; without a reader the socket would never end.
    this.#options.socket.removeAllListeners('data').resume()
  }
}
