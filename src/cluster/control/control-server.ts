/**
 * Takes the connections of taskmanagers, and proves who they are.
 *
 * Owns        the listening socket, and the sockets that came in.
 * Leaves out  what is said on them (`control-connection.ts`).
 *
 * Invariants
 *  Q1  Nothing of a connection is used before its handshake is over.
 */
import { renameSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import type { Clock } from '../../common/clock.ts'
import { messageOf } from '../../common/errors.ts'
import type { Random } from '../../common/random.ts'
import { shakeHands } from '../../runtime/network/handshake.ts'
import { networkErrors } from '../../runtime/network/network-errors.ts'
import { formatPeerAddress, parsePeerAddress } from '../../runtime/network/peer-address.ts'
import { makePeerServer, type TlsSettings } from '../../runtime/network/peer-socket.ts'
import type { HeartbeatTimes } from './heartbeat-watch.ts'
import { HANDSHAKE_TIMEOUT_MS, jobManagerRole, taskManagerRole } from './roles.ts'

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
  /** Its handshake is over. */
  readonly accept: (socket: Socket) => void
  /** One did not come in. */
  readonly refused: (error: unknown) => void
}

export class ControlServer {
  readonly #options: ControlServerOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(options: ControlServerOptions) {
    this.#options = options
    this.#server = makePeerServer({
      tls: options.tls,
      accept: socket => {
        this.#sockets.add(socket)
        socket.on('close', () => this.#sockets.delete(socket))
        this.#welcome(socket).catch(options.refused)
      },
      warn: options.refused,
    })
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

  /** Rejects with WEIR_LISTEN_FAILED. */
  listen(): Promise<void> {
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
    this.#options.accept(socket)
  }
}
