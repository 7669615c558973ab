/**
 * The door of a taskmanager for data: listens for the other slots of its job, dials them, and hands
 * authenticated connections to the exchange of the attempt they belong to.
 *
 * Owns        the listening socket, handshakes, and which attempt is the current one.
 * Leaves out  channels (`network-exchange.ts`).
 *
 * Invariants
 *  DE1  A connection of an older attempt than the current one is refused; one of a newer attempt
 *       waits until this process has been told of it, or its time is over.
 *  DE2  One attempt at a time has an exchange.
 *  DE3  After `close` nothing listens, and no connection is open.
 */
import type { Server, Socket } from 'node:net'
import { assert } from '../../common/assert.ts'
import type { Clock, TimerHandle } from '../../common/clock.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import { type PeerIdentity, type Refusal, shakeHands } from './handshake.ts'
import { NetworkExchange } from './network-exchange.ts'
import type { NetworkFigures } from './network-figures.ts'
import type { NetworkSettings } from './network-settings.ts'
import {
  advertisedAddress,
  dialPeer,
  listenForPeers,
  loadTls,
  type TlsSettings,
} from './peer-socket.ts'
import { Traffic } from './traffic.ts'

export interface DataEndpointOptions {
  /** `unix:/path` or `tcp://host:port`; port 0 takes any. */
  readonly listen: string
  /** What peers dial, where it is not what is listened on; its port may be 0 too. */
  readonly advertise?: string | undefined
  readonly identity: { readonly jobId: string; readonly slot: number; readonly version: string }
  readonly secret: string | Buffer
  readonly tls?: TlsSettings | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface ExchangeOptions {
  /** Of the attempt: grows with each restart. */
  readonly generation: number
  /** Addresses by slot, the own included. */
  readonly peers: readonly string[]
  readonly graph: JobGraph
  readonly settings: NetworkSettings
  /** Called once: a Weir error that names the peer. The exchange is closed by then. */
  readonly onFailure: (error: unknown) => void
  /** See `NetworkSettings.silenceMs`. */
  readonly onUnheard: (peer: number, silentMs: number) => void
}

const HANDSHAKE_TIMEOUT_MS = 10_000
/** How long a peer may be ahead of this process in learning of an attempt. */
const JOIN_TIMEOUT_MS = 30_000
/** The listener may use all its time to join; its refusal must still arrive. */
const VERDICT_TIMEOUT_MS: number = JOIN_TIMEOUT_MS + HANDSHAKE_TIMEOUT_MS

const FAREWELL_MS = 1_000
/** More than any job has slots; a stranger must not use up all sockets. */
const CONNECTIONS_MAX = 8_192

interface Joining {
  readonly generation: number
  resolve(): void
}

export class DataEndpoint {
  readonly address: string
  readonly #options: DataEndpointOptions
  readonly #secret: Buffer
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #joining = new Set<Joining>()
  readonly #traffic = new Traffic()
  #exchange: NetworkExchange | undefined
  /** The newest attempt seen. */
  #generation = -1
  #closed = false

  private constructor(options: DataEndpointOptions, server: Server) {
    this.#options = options
    this.#secret = Buffer.from(options.secret)
    this.#server = server
    this.address = advertisedAddress(server, options.listen, options.advertise)
    // With TLS a connection is there before it is accepted.
    server.on('connection', (socket: Socket) => this.#keep(socket))
  }

  /** Rejects with WEIR_LISTEN_FAILED or WEIR_ADDRESS_INVALID. */
  static async listen(options: DataEndpointOptions): Promise<DataEndpoint> {
    const tls = options.tls === undefined ? undefined : await loadTls(options.tls)
    let endpoint: DataEndpoint | undefined
    const server = await listenForPeers({
      address: options.listen,
      tls,
      accept: socket => {
        if (endpoint === undefined) socket.destroy()
        else void endpoint.#welcome(socket)
      },
      warn: error => options.logger.warn({ err: error }, 'a connection for data failed'),
    })
    endpoint = new DataEndpoint({ ...options, tls }, server)
    return endpoint
  }

  get figures(): NetworkFigures {
    const { bytesSent, bytesReceived, framesSent, framesReceived } = this.#traffic
    const edges = this.#exchange?.edges ?? []
    return { bytesSent, bytesReceived, framesSent, framesReceived, edges }
  }

  exchange(options: ExchangeOptions): NetworkExchange {
    const { generation } = options
    const { slot } = this.#options.identity
    assert(!this.#closed, 'DE3: a closed endpoint has no exchange')
    assert(generation > this.#generation, 'DE2: an attempt is newer than the one before')
    void this.#exchange?.close()
    this.#generation = generation
    this.#exchange = new NetworkExchange({
      slot,
      generation,
      peers: options.peers,
      graph: options.graph,
      settings: options.settings,
      traffic: this.#traffic,
      clock: this.#options.clock,
      dial: to => this.#dial(options, to),
      failed: options.onFailure,
      unheard: options.onUnheard,
    })
    for (const joining of this.#joining) if (joining.generation <= generation) joining.resolve()
    return this.#exchange
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#exchange?.close()
    for (const joining of this.#joining) joining.resolve()
    for (const socket of this.#sockets) if (!socket.writableEnded) socket.destroy()
    // What ends by a farewell is given time to say it.
    const timer = this.#options.clock.schedule(FAREWELL_MS, () => {
      for (const socket of this.#sockets) socket.destroy()
    })
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
    timer.cancel()
  }

  #keep(socket: Socket): void {
    if (this.#sockets.has(socket)) return
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.setNoDelay(true)
    if (this.#closed) socket.destroy()
  }

  async #welcome(socket: Socket): Promise<void> {
    if (this.#sockets.size > CONNECTIONS_MAX) {
      socket.destroy()
      return
    }
    const { identity, logger } = this.#options
    const peer = `${socket.remoteAddress ?? 'a local process'}`
    try {
      const sender = await this.#shakeHands(socket, {
        side: 'listener',
        peer,
        facts: { slot: identity.slot },
        admit: hello => this.#admit(hello),
      })
      const { slot, generation } = sender.facts
      const exchange = this.#exchange
      if (exchange !== undefined && exchange.generation === generation) {
        exchange.accept(Number(slot), socket)
      } else socket.destroy()
    } catch (error) {
      logger.warn({ peer, err: error }, 'a connection for data was refused')
    }
  }

  async #dial({ generation, peers }: ExchangeOptions, to: number): Promise<Socket> {
    const address = peers[to] ?? ''
    const peer = `slot ${to} (${address})`
    const socket = await dialPeer({
      address,
      tls: this.#options.tls,
      peer,
      made: made => this.#keep(made),
    })
    await this.#shakeHands(socket, {
      side: 'dialer',
      peer,
      facts: { slot: this.#options.identity.slot, generation, to },
      admit: ({ facts }) =>
        facts.slot === to
          ? undefined
          : { over: 'slot', own: String(to), theirs: String(facts.slot) },
    })
    return socket
  }

  #shakeHands(
    socket: Socket,
    talk: {
      readonly side: 'dialer' | 'listener'
      readonly peer: string
      readonly facts: PeerIdentity['facts']
      admit(peer: PeerIdentity): Promise<Refusal | undefined> | Refusal | undefined
    },
  ): Promise<PeerIdentity> {
    const { identity, clock, random } = this.#options
    const roles = ['data sender', 'data receiver'] as const
    const [own, other] = talk.side === 'dialer' ? roles : roles.toReversed()
    return shakeHands({
      stream: socket,
      side: talk.side,
      secret: this.#secret,
      own: {
        role: own as string,
        jobId: identity.jobId,
        version: identity.version,
        facts: talk.facts,
      },
      peerRole: other as string,
      peer: talk.peer,
      admit: talk.admit,
      timeoutMs: HANDSHAKE_TIMEOUT_MS,
      verdictTimeoutMs: VERDICT_TIMEOUT_MS,
      clock,
      random,
    })
  }

  /** DE1 */
  async #admit({ facts }: PeerIdentity): Promise<Refusal | undefined> {
    const { slot } = this.#options.identity
    const generation = Number(facts.generation)
    if (facts.to !== slot) return { over: 'slot', own: String(slot), theirs: String(facts.to) }
    if (generation > this.#generation) await this.#join(generation)
    if (generation === this.#generation) return undefined
    return { over: 'attempt', own: String(this.#generation), theirs: String(facts.generation) }
  }

  #join(generation: number): Promise<void> {
    return new Promise(resolve => {
      let timer: TimerHandle | undefined
      const joining: Joining = {
        generation,
        resolve: () => {
          timer?.cancel()
          this.#joining.delete(joining)
          resolve()
        },
      }
      this.#joining.add(joining)
      timer = this.#options.clock.schedule(JOIN_TIMEOUT_MS, joining.resolve)
    })
  }
}
