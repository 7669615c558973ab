/**
 * Takes the connections of taskmanagers: proves who they are, then hands their messages on.
 *
 * Owns        the listening socket and the connections.
 * Leaves out  who gets which slot (`slot-registry.ts`).
 *
 * Invariants
 *  Q1  Nothing of a connection is used before its handshake is over.
 *  Q2  The first message is a registration; a refused one gets the reason, then the end.
 */
import { renameSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import type { Clock } from '../../common/clock.ts'
import { isWeirError, messageOf } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import {
  type Registration,
  type ToJobManager,
  type ToTaskManagerText,
  toJobManagerSchema,
} from '../../protocol/control-messages.ts'
import { shakeHands } from '../../runtime/network/handshake.ts'
import { networkErrors } from '../../runtime/network/network-errors.ts'
import { formatPeerAddress, parsePeerAddress } from '../../runtime/network/peer-address.ts'
import { makePeerServer, type TlsSettings } from '../../runtime/network/peer-socket.ts'
import { clusterErrors } from '../cluster-errors.ts'
import { type ConnectionEnd, ControlConnection } from '../control/control-connection.ts'
import type { HeartbeatTimes } from '../control/heartbeat-watch.ts'
import { HANDSHAKE_TIMEOUT_MS, jobManagerRole, taskManagerRole } from '../control/roles.ts'
import { failureReport } from '../failure-report.ts'
import type { SlotLink } from './slot-registry.ts'

export interface ControlServerOptions {
  /** `unix:/path`, or `tcp://host:port`; port 0: any free one. */
  readonly listen: string
  readonly jobId: string
  readonly version: string
  readonly secret: Buffer
  readonly tls: TlsSettings | undefined
  readonly times: HeartbeatTimes
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly desk: ControlDesk
}

/** What becomes of the connections. What a call throws refuses the taskmanager. */
export interface ControlDesk {
  register(registration: Registration, link: SlotLink): void
  take(link: SlotLink, message: Exclude<ToJobManager, Registration>): void
  lost(link: SlotLink, end: ConnectionEnd): void
}

type Connection = ControlConnection<typeof toJobManagerSchema>

export class ControlServer {
  readonly #options: ControlServerOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(options: ControlServerOptions) {
    this.#options = options
    const warn = (error: unknown): void => {
      options.logger.warn({ err: error }, 'a connection was refused')
    }
    this.#server = makePeerServer({
      tls: options.tls,
      accept: socket => {
        this.#sockets.add(socket)
        socket.on('close', () => this.#sockets.delete(socket))
        this.#welcome(socket).catch(warn)
      },
      warn,
    })
  }

  /** Rejects with WEIR_LISTEN_FAILED. */
  static async listen(options: ControlServerOptions): Promise<ControlServer> {
    const server = new ControlServer(options)
    await server.#listen()
    return server
  }

  /** Where taskmanagers dial. */
  get address(): string {
    const listen = parsePeerAddress(this.#options.listen)
    const bound = this.#server.address()
    if (listen.kind === 'unix' || bound === null || typeof bound === 'string') {
      return formatPeerAddress(listen)
    }
    return formatPeerAddress({ ...listen, port: bound.port })
  }

  /** Ends all connections at once. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Resolves when all connections have ended. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => {
      this.#server.close(() => resolve())
    })
    const { clock, times } = this.#options
    const timer = clock.schedule(times.timeoutMs, () => this.dropAll())
    await closed
    timer.cancel()
  }

  #listen(): Promise<void> {
    const listen = parsePeerAddress(this.#options.listen)
    // In one step it takes the place of one that was killed. And a server removes the path it was
    // bound to when it closes: a jobmanager that was succeeded must not remove its successor's.
    const draft = listen.kind === 'unix' ? `${listen.path}.${this.#options.random.int(1e6)}` : ''
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        const details = { address: this.#options.listen, reason: messageOf(error) }
        reject(networkErrors.WEIR_LISTEN_FAILED(details, error))
      }
      this.#server.once('error', failed)
      const listening = (): void => {
        this.#server.off('error', failed)
        if (listen.kind === 'unix') renameSync(draft, listen.path)
        resolve()
      }
      if (listen.kind === 'unix') this.#server.listen(draft, listening)
      else this.#server.listen(listen.port, listen.host, listening)
    })
  }

  async #welcome(socket: Socket): Promise<void> {
    const { clock, jobId, random, secret, version } = this.#options
    await shakeHands({
      stream: socket,
      side: 'listener',
      secret,
      own: { role: jobManagerRole, jobId, version, facts: {} },
      peerRole: taskManagerRole,
      peer: `a process at ${socket.remoteAddress ?? 'this machine'}`,
      admit: () => undefined,
      timeoutMs: HANDSHAKE_TIMEOUT_MS,
      verdictTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      clock,
      random,
    })
    this.#connect(socket)
  }

  #connect(socket: Socket): void {
    const { clock, desk, times } = this.#options
    let registered = false
    const connection: Connection = new ControlConnection({
      socket,
      schema: toJobManagerSchema,
      clock,
      times,
      beat: () => ({ kind: 'heartbeat' }),
      onMessage: message => {
        try {
          if (message.kind !== 'register') {
            if (!registered) throw unregistered(message)
            desk.take(connection, message)
            return
          }
          desk.register(message, connection)
          registered = true
        } catch (error) {
          this.#refuse(connection, error)
        }
      },
      onClosed: end => {
        if (end.error !== undefined) this.#warn(end.error)
        desk.lost(connection, end)
      },
    })
  }

  #refuse(connection: Connection, error: unknown): void {
    this.#warn(error)
    connection.send({ kind: 'refused', failure: failureReport(error) } satisfies ToTaskManagerText)
    connection.close()
    this.#options.desk.lost(connection, {
      cause: 'broken',
      how: `was refused: ${messageOf(error)}`,
    })
  }

  #warn(error: unknown): void {
    const { logger } = this.#options
    const code = isWeirError(error) ? error.code : undefined
    logger.warn({ err: error, code }, 'a taskmanager was refused')
  }
}

function unregistered(message: ToJobManager): Error {
  return clusterErrors.WEIR_CONTROL_MALFORMED({ reason: `${message.kind} before a registration` })
}
