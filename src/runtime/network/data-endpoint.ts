/**
 * The door of a taskmanager for data: listens for the other slots of its job, dials them, and hands
 * authenticated connections to the exchange of the attempt they belong to.
 *
 * Owns        the listening socket, handshakes, and which attempt of each failover region is the
 *             current one.
 * Leaves out  channels (`network-exchange.ts`).
 *
 * Invariants
 *  DE1  A connection of an older attempt of its region than the current one is refused; one of a
 *       newer attempt waits until this process has been told of it, or its time is over.
 *  DE2  One attempt of a region at a time has an exchange; a new generation ends those of the one
 *       before.
 *  DE3  After `close` nothing listens, and no connection is open.
 */
import type { Server, Socket } from 'node:net'
import { assert } from '../../common/assert.ts'
import type { Clock, TimerHandle } from '../../common/clock.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import { type PeerIdentity, type Refusal, shakeHands } from './handshake.ts'
import { attemptText, isLater, type NetworkAttempt } from './network-attempt.ts'
import { NetworkExchange } from './network-exchange.ts'
import { joinedEdges, type NetworkFigures } from './network-figures.ts'
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
  readonly attempt: NetworkAttempt
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
  readonly attempt: NetworkAttempt
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
  /** By region: the newest attempt seen. */
  readonly #exchanges = new Map<number, NetworkExchange>()
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
    const edges = joinedEdges([...this.#exchanges.values()].flatMap(exchange => exchange.edges))
    return { bytesSent, bytesReceived, framesSent, framesReceived, edges }
  }

  exchange(options: ExchangeOptions): NetworkExchange {
    const { attempt } = options
    const { slot } = this.#options.identity
    assert(!this.#closed, 'DE3: a closed endpoint has no exchange')
    this.#endBefore(attempt)
    const exchange = new NetworkExchange({
      slot,
      attempt,
      peers: options.peers,
      graph: options.graph,
      settings: options.settings,
      traffic: this.#traffic,
      clock: this.#options.clock,
      dial: to => this.#dial(options, to),
      failed: options.onFailure,
      unheard: options.onUnheard,
    })
    this.#exchanges.set(attempt.region, exchange)
    for (const joining of this.#joining) {
      if (this.#standingOf(joining.attempt) !== 'ahead') joining.resolve()
    }
    return exchange
  }

  /** DE2 */
  #endBefore(attempt: NetworkAttempt): void {
    const { generation, region } = attempt
    for (const [other, exchange] of this.#exchanges) {
      const before = exchange.attempt
      const isOver = other === region || before.generation < generation
      if (!isOver) continue
      assert(isLater(attempt, before), 'DE2: an attempt is newer than the one before')
      void exchange.close()
      if (other !== region) this.#exchanges.delete(other)
    }
  }

  /** How an attempt stands to the current one of its region. */
  #standingOf(attempt: NetworkAttempt): 'current' | 'ahead' | 'over' {
    const current = this.#exchanges.get(attempt.region)?.attempt
    if (current === undefined) return attempt.generation < this.#generation ? 'over' : 'ahead'
    if (isLater(attempt, current)) return 'ahead'
    return isLater(current, attempt) ? 'over' : 'current'
  }

  /** The newest seen. */
  get #generation(): number {
    const seen = [...this.#exchanges.values()].map(({ attempt }) => attempt.generation)
    return Math.max(-1, ...seen)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#exchanges.values()].map(exchange => exchange.close()))
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
      const attempt = attemptOf(sender)
      const exchange = this.#exchanges.get(attempt.region)
      if (exchange !== undefined && this.#standingOf(attempt) === 'current') {
        exchange.accept(Number(sender.facts.slot), socket)
      } else socket.destroy()
    } catch (error) {
      logger.warn({ peer, err: error }, 'a connection for data was refused')
    }
  }

  async #dial({ attempt, peers }: ExchangeOptions, to: number): Promise<Socket> {
    const address = peers[to] ?? ''
    const peer = `slot ${to} (${address})`
    const { tls, clock } = this.#options
    const socket = await dialPeer({
      address,
      tls,
      clock,
      peer,
      made: made => this.#keep(made),
    })
    await this.#shakeHands(socket, {
      side: 'dialer',
      peer,
      facts: { slot: this.#options.identity.slot, ...attempt, to },
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
  async #admit(peer: PeerIdentity): Promise<Refusal | undefined> {
    const { slot } = this.#options.identity
    const { to } = peer.facts
    if (to !== slot) return { over: 'slot', own: String(slot), theirs: String(to) }
    const attempt = attemptOf(peer)
    if (this.#standingOf(attempt) === 'ahead') await this.#join(attempt)
    if (this.#standingOf(attempt) === 'current') return undefined
    const current = this.#exchanges.get(attempt.region)?.attempt
    const own = current === undefined ? 'none' : attemptText(current)
    return { over: 'attempt', own, theirs: attemptText(attempt) }
  }

  #join(attempt: NetworkAttempt): Promise<void> {
    return new Promise(resolve => {
      let timer: TimerHandle | undefined
      const joining: Joining = {
        attempt,
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

function attemptOf({ facts }: PeerIdentity): NetworkAttempt {
  const { generation, region, attempt } = facts
  return { generation: Number(generation), region: Number(region), attempt: Number(attempt) }
}
