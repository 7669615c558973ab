/**
 * The control thread: connections with their heartbeats, apart from the thread of records, which
 * user code may keep for itself as long as it likes.
 *
 * Owns        dialing or listening, the connections and their heartbeats, and the sign of life that
 *             a supervisor waits for.
 * Leaves out  what messages mean: they are handed on to the thread of records, in order.
 */
import type { Socket } from 'node:net'
import { assertDefined } from '../../common/assert.ts'
import type { Clock } from '../../common/clock.ts'
import type { Random } from '../../common/random.ts'
import { toJobManagerSchema, toTaskManagerSchema } from '../../protocol/control-messages.ts'
import { failureReport } from '../failure-report.ts'
import { lifeLine } from '../supervision.ts'
import { type ConnectionEnd, ControlConnection } from './control-connection.ts'
import { ControlServer } from './control-server.ts'
import type {
  ControlThreadSettings,
  FromControlThread,
  ThreadPort,
  ToControlThread,
} from './control-thread-messages.ts'
import { dialJobManager } from './dial-jobmanager.ts'
import { LifeSigns } from './life-signs.ts'

export interface ControlThreadParts {
  readonly port: ThreadPort<ToControlThread, FromControlThread>
  readonly settings: ControlThreadSettings
  readonly clock: Clock
  readonly random: Random
  /** Tells whoever started this process that it lives; so long its other thread has been kept. */
  readonly showLife?: (keptMs: number) => void
}

type Connection = ControlConnection<typeof toJobManagerSchema | typeof toTaskManagerSchema>

export function runControlThread(parts: ControlThreadParts): void {
  new ControlThreadBody(parts).start()
}

class ControlThreadBody {
  readonly #parts: ControlThreadParts
  readonly #signs: LifeSigns
  readonly #lines = new Map<number, Connection>()
  #server: Promise<ControlServer> | undefined
  #accepted = 0
  #over = false

  constructor(parts: ControlThreadParts) {
    this.#parts = parts
    this.#signs = new LifeSigns(parts.settings.signs)
  }

  start(): void {
    const { port, settings } = this.#parts
    this.#look()
    this.#showLife()
    port.listen(message => this.#take(message))
    if (settings.end.kind === 'listener') this.#server = this.#listen(settings.end.address)
  }

  /** Lives as long as somebody may ask whether this process does. */
  #look(): void {
    const { clock, settings } = this.#parts
    if (this.#over) return
    this.#signs.controlAwake(clock.monotonic())
    clock.schedule(settings.times.intervalMs, () => this.#look())
  }

  #showLife(): void {
    const { clock, settings, showLife } = this.#parts
    if (this.#over || showLife === undefined) return
    showLife(this.#signs.blockedMs(clock.monotonic(), settings.times))
    clock.schedule(lifeLine.intervalMs, () => this.#showLife())
  }

  #take(message: ToControlThread): void {
    switch (message.kind) {
      case 'dial':
        void this.#dial(message.line)
        break
      case 'send':
        this.#lines.get(message.line)?.send(message.message)
        break
      case 'change':
        this.#lines.get(message.line)?.change(message.times)
        break
      case 'close':
        void this.#lines.get(message.line)?.close()
        this.#lines.delete(message.line)
        break
      case 'drop':
        for (const connection of [...this.#lines.values()]) connection.drop()
        void this.#server?.then(server => server.dropAll())
        break
      case 'end':
        void this.#end()
        break
    }
  }

  async #dial(line: number): Promise<void> {
    const { port, settings, clock, random } = this.#parts
    const { end, jobId, secret, tls, version } = settings
    try {
      const { address, slot } = assertDefined(end.kind === 'dialer' ? end : undefined, 'it dials')
      const own = { jobId, version, slot, secret: Buffer.from(secret) }
      const socket = await dialJobManager({ address, tls, clock, random, ...own })
      if (this.#over) socket.destroy()
      else this.#open(line, socket)
    } catch (error) {
      port.post({ kind: 'unopened', line, failure: failureReport(error) })
    }
  }

  async #listen(address: string): Promise<ControlServer> {
    const { port, settings, clock, random } = this.#parts
    const { jobId, secret, tls, version, times } = settings
    const refused = (error: unknown): void => {
      port.post({ kind: 'refused', failure: failureReport(error) })
    }
    const accept = (socket: Socket): void => this.#open(this.#accepted++, socket)
    const server = new ControlServer({
      listen: address,
      jobId,
      version,
      secret: Buffer.from(secret),
      tls,
      times,
      clock,
      random,
      accept,
      refused,
    })
    try {
      await server.listen()
      port.post({ kind: 'listening', address: server.address })
    } catch (error) {
      port.post({ kind: 'deaf', failure: failureReport(error) })
    }
    return server
  }

  #open(line: number, socket: Socket): void {
    const { port, settings, clock } = this.#parts
    const isDialer = settings.end.kind === 'dialer'
    // Before its first message: the socket is read from the next turn on.
    port.post({ kind: 'opened', line })
    const connection: Connection = new ControlConnection({
      socket,
      schema: isDialer ? toTaskManagerSchema : toJobManagerSchema,
      clock,
      times: settings.times,
      beat: () => (isDialer ? this.#heartbeat() : { kind: 'heartbeat' }),
      onMessage: message => port.post({ kind: 'message', line, message }),
      onClosed: end => this.#closed(line, end),
    })
    this.#lines.set(line, connection)
  }

  #heartbeat(): object {
    const { clock, settings } = this.#parts
    const blockedMs = this.#signs.blockedMs(clock.monotonic(), settings.times)
    return { kind: 'heartbeat', blockedMs }
  }

  #closed(line: number, { cause, how, error }: ConnectionEnd): void {
    this.#lines.delete(line)
    const failure = error === undefined ? undefined : failureReport(error)
    this.#parts.port.post({ kind: 'closed', line, end: { cause, how, failure } })
  }

  async #end(): Promise<void> {
    if (this.#over) return
    this.#over = true
    const server = await this.#server
    await Promise.all([...this.#lines.values()].map(connection => connection.close()))
    await server?.close()
    this.#parts.port.post({ kind: 'ended' })
  }
}
