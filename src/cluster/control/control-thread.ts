/**
 * The control connections of a process, as its thread of records sees them: they live in a thread
 * of their own, so that this one may be kept by user code and still count as alive.
 *
 * Owns        the lines, and the sign that this thread is awake.
 * Leaves out  sockets, handshakes and heartbeats (`run-control-thread.ts`).
 *
 * Invariants
 *  CT1  Messages of a line arrive in the order they were sent, and none after its `onClosed`.
 *  CT2  `onClosed` is called once, unless this end closed.
 *  CT3  A process that stood still acts on nothing that was said before, once the others have given
 *       it up: its lines are over.
 */
import type { Clock, TimerHandle } from '../../common/clock.ts'
import { errorOf } from '../failure-report.ts'
import type { ConnectionEnd } from './control-connection.ts'
import type {
  ControlThreadSettings,
  FromControlThread,
  StartControlThread,
  ThreadPort,
  ToControlThread,
} from './control-thread-messages.ts'
import type { HeartbeatTimes } from './heartbeat-watch.ts'
import { LifeSigns } from './life-signs.ts'

export interface ControlLine {
  readonly isOpen: boolean
  /** Since something was heard. */
  readonly silentMs: number
  send(message: unknown): void
  /** Takes these times from now on. */
  change(times: HeartbeatTimes): void
  /** What was sent before still leaves. */
  close(): void
}

export interface LineListener {
  onMessage(message: unknown): void
  onClosed(end: ConnectionEnd): void
}

export interface ControlThreadOptions {
  readonly settings: Omit<ControlThreadSettings, 'signs'>
  readonly start: StartControlThread
  readonly clock: Clock
  /** A connection came in. */
  readonly accept?: (line: ControlLine) => LineListener
  /** Somebody who dialed was refused. */
  readonly refused?: (error: Error) => void
}

interface Waiting<T> {
  resolve(value: T): void
  reject(error: Error): void
}

export class ControlThread {
  readonly #options: ControlThreadOptions
  readonly #signs = new LifeSigns()
  readonly #port: ThreadPort<FromControlThread, ToControlThread>
  readonly #lines = new Map<number, Line>()
  readonly #dialing = new Map<number, Waiting<ControlLine> & { readonly listener: LineListener }>()
  readonly #listening = Promise.withResolvers<string>()
  readonly #ended = Promise.withResolvers<void>()
  #dialed = 0
  #timer: TimerHandle | undefined

  constructor(options: ControlThreadOptions) {
    this.#options = options
    // Nobody may ask.
    this.#listening.promise.catch(() => {})
    this.#awake()
    this.#port = options.start({ ...options.settings, signs: this.#signs.shared })
    this.#port.listen(message => this.#take(message))
  }

  /** Where a listener listens. Rejects with WEIR_LISTEN_FAILED. */
  get address(): Promise<string> {
    return this.#listening.promise
  }

  /** Rejects with WEIR_PEER_UNREACHABLE, or what the handshake failed with. */
  dial(listener: LineListener): Promise<ControlLine> {
    const line = this.#dialed++
    return new Promise((resolve, reject) => {
      this.#dialing.set(line, { resolve, reject, listener })
      this.#port.post({ kind: 'dial', line })
    })
  }

  /** Ends all connections at once. */
  dropAll(): void {
    this.#port.post({ kind: 'drop' })
  }

  /** Resolves when everything that was sent has left, and the thread is over. */
  async end(): Promise<void> {
    this.#port.post({ kind: 'end' })
    await this.#ended.promise
    this.#timer?.cancel()
    this.#port.close()
  }

  #awake(): void {
    const { clock, settings } = this.#options
    this.#signs.recordsAwake(clock.monotonic())
    this.#timer = clock.schedule(settings.times.intervalMs, () => this.#awake())
  }

  #take(message: FromControlThread): void {
    switch (message.kind) {
      case 'listening':
        this.#listening.resolve(message.address)
        break
      case 'deaf':
        this.#listening.reject(errorOf(message.failure))
        break
      case 'opened':
        this.#opened(message.line)
        break
      case 'unopened':
        this.#dialing.get(message.line)?.reject(errorOf(message.failure))
        this.#dialing.delete(message.line)
        break
      case 'message':
        this.#heard(message.line, message.message)
        break
      case 'closed': {
        const { cause, how, failure } = message.end
        const error = failure === undefined ? undefined : errorOf(failure)
        this.#lines.get(message.line)?.lost({ cause, how, error })
        break
      }
      case 'refused':
        this.#options.refused?.(errorOf(message.failure))
        break
      case 'ended':
        this.#ended.resolve()
        break
    }
  }

  #opened(number: number): void {
    const dialing = this.#dialing.get(number)
    this.#dialing.delete(number)
    const line = new Line({
      clock: this.#options.clock,
      times: this.#options.settings.times,
      post: (kind, body) => this.#port.post({ ...body, kind, line: number } as ToControlThread),
      over: () => this.#lines.delete(number),
    })
    this.#lines.set(number, line)
    line.listener = dialing?.listener ?? this.#options.accept?.(line)
    dialing?.resolve(line)
  }

  #heard(number: number, message: unknown): void {
    const line = this.#lines.get(number)
    if (line === undefined) return
    // CT3
    if (this.#signs.stoodStill(this.#options.clock.monotonic(), line.times)) {
      line.giveUp()
    } else line.heard(message)
  }
}

interface LineOptions {
  readonly clock: Clock
  readonly times: HeartbeatTimes
  post(kind: ToControlThread['kind'], body: object): void
  over(): void
}

class Line implements ControlLine {
  listener: LineListener | undefined
  times: HeartbeatTimes
  readonly #options: LineOptions
  #heardMs: number
  #closed = false

  constructor(options: LineOptions) {
    this.#options = options
    this.times = options.times
    this.#heardMs = options.clock.monotonic()
  }

  get isOpen(): boolean {
    return !this.#closed
  }

  get silentMs(): number {
    return this.#options.clock.monotonic() - this.#heardMs
  }

  send(message: unknown): void {
    if (!this.#closed) this.#options.post('send', { message })
  }

  change(times: HeartbeatTimes): void {
    this.times = times
    if (!this.#closed) this.#options.post('change', { times })
  }

  close(): void {
    if (this.#closed) return
    this.#end()
    this.#options.post('close', {})
  }

  heard(message: unknown): void {
    this.#heardMs = this.#options.clock.monotonic()
    this.listener?.onMessage(message)
  }

  giveUp(): void {
    this.close()
    const how = 'was given up: this process stood still too long itself'
    this.listener?.onClosed({ cause: 'stalled', how })
  }

  lost(end: ConnectionEnd): void {
    if (this.#closed) return
    this.#end()
    this.listener?.onClosed(end)
  }

  #end(): void {
    this.#closed = true
    this.#options.over()
  }
}
