/**
 * The brokers of one cluster, as one subtask or enumerator sees them: who leads which partition,
 * who coordinates which group or transaction, and a connection to each that is needed.
 */
import type { Clock } from '../../common/clock.ts'
import { isWeirError, messageOf } from '../../common/errors.ts'
import {
  type BrokerAddress,
  BrokerConnection,
  type BrokerRequest,
  isHangUp,
} from './broker-connection.ts'
import { bootstrapOf, type KafkaConnectionOptions } from './connection-options.ts'
import { errorName, isCoordinatorMoved, isDenied } from './error-codes.ts'
import { kafkaErrors } from './kafka-errors.ts'
import type { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

export interface PartitionLeader {
  readonly partition: number
  /** The number of the broker; below 0 while there is none. */
  readonly leader: number
}

export interface TopicMetadata {
  readonly topic: string
  readonly errorCode: number
  readonly partitions: readonly PartitionLeader[]
}

/** Long polls have a connection of their own: nothing else waits behind them. */
type Purpose = 'ask' | 'fetch'

const FIND_TRIES = 100
/** For 5.6 s in all: what stands before a broker may take connections before that does. */
const HANG_UPS_MAX = 8
const HANG_UP_PAUSE_MS = 200
const FIND_PAUSE_MS = 100

export type CoordinatorKind = 'group' | 'transaction'

export class KafkaCluster {
  readonly #options: KafkaConnectionOptions
  readonly #clock: Clock
  readonly #bootstrap: readonly BrokerAddress[]
  readonly #addresses = new Map<number, BrokerAddress>()
  readonly #connections = new Map<string, BrokerConnection>()
  #closed = false
  #hasAnswered = false

  /** Throws WEIR_KAFKA_OPTION_INVALID; touches nothing yet. */
  constructor(options: KafkaConnectionOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#bootstrap = bootstrapOf(options)
  }

  /** Of these topics, or of all. */
  async metadata(topics: readonly string[] | undefined): Promise<readonly TopicMetadata[]> {
    const answer = await this.askAny(metadataRequest(topics))
    for (const { id, host, port } of answer.brokers) this.#addresses.set(id, { host, port })
    return answer.topics
  }

  /** The connection to a broker that `metadata` or `coordinator` named. */
  async broker(id: number, purpose: Purpose = 'ask'): Promise<BrokerConnection> {
    if (!this.#addresses.has(id)) await this.metadata([])
    const address = this.#addresses.get(id)
    if (address === undefined) {
      const reason = `the cluster names no broker ${id}`
      throw kafkaErrors.WEIR_KAFKA_UNREACHABLE({ brokers: this.#named, reason })
    }
    return this.#connect(address, `${id} ${purpose}`)
  }

  /** Of every broker that the cluster names. */
  async brokerIds(): Promise<readonly number[]> {
    await this.metadata([])
    return [...this.#addresses.keys()]
  }

  async brokers(): Promise<readonly BrokerConnection[]> {
    return Promise.all((await this.brokerIds()).map(id => this.broker(id)))
  }

  /**
   * Asks whichever broker answers. One that hangs up again and again, each time on a fresh
   * connection, and never said anything, is up: it wants to be spoken to in another way.
   */
  async askAny<T>(request: BrokerRequest<T>): Promise<T> {
    const known = [...this.#addresses.values(), ...this.#bootstrap]
    let failure: unknown
    for (const address of known) {
      for (let tries = 1; ; tries++) {
        try {
          const connection = await this.#connect(address, nameOf(address))
          const answer = await connection.ask(request)
          this.#hasAnswered = true
          return answer
        } catch (error) {
          failure = error
          // What the user has to mend is the same at every broker.
          if (isWeirError(error) && error.domain === 'user') throw error
          if (!isHangUp(error) || this.#closed) break
          if (this.#hasAnswered && tries > 1) break
          if (tries === HANG_UPS_MAX) throw this.#handshakeFailure(address)
          await this.pause(HANG_UP_PAUSE_MS * tries)
        }
      }
    }
    // That the last one could not be reached says no more than why.
    const told = isWeirError(failure) && failure.code === 'WEIR_KAFKA_UNREACHABLE'
    const reason = messageOf(told ? ((failure as Error).cause ?? failure) : failure)
    throw kafkaErrors.WEIR_KAFKA_UNREACHABLE({ brokers: this.#named, reason }, failure)
  }

  /** The broker that keeps the state of a group or a transactional id. */
  async coordinator(kind: CoordinatorKind, id: string): Promise<BrokerConnection> {
    let answer = await this.askAny(coordinatorRequest(kind, id))
    // The first group of a cluster, and the first transaction, take a moment.
    for (let tries = 1; isCoordinatorMoved(answer.errorCode) && tries < FIND_TRIES; tries++) {
      await this.pause(FIND_PAUSE_MS)
      answer = await this.askAny(coordinatorRequest(kind, id))
    }
    const { errorCode, node, address } = answer
    if (isDenied(errorCode)) {
      const reason = errorName(errorCode)
      throw kafkaErrors.WEIR_KAFKA_DENIED({ what: `the ${kind} ${id}`, reason })
    }
    if (errorCode !== 0) {
      const what = `the ${kind} ${id}`
      const reason = errorName(errorCode)
      throw kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'FindCoordinator', what, reason })
    }
    this.#addresses.set(node, address)
    return this.broker(node)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  pause(delayMs: number): Promise<void> {
    return new Promise(resolve => void this.#clock.schedule(delayMs, resolve))
  }

  async close(): Promise<void> {
    this.#closed = true
    const open = [...this.#connections.values()]
    this.#connections.clear()
    await Promise.all(open.map(connection => connection.close().catch(() => undefined)))
  }

  #handshakeFailure(address: BrokerAddress): Error {
    const reason = 'it hangs up after the first words'
    return kafkaErrors.WEIR_KAFKA_HANDSHAKE({ broker: nameOf(address), reason })
  }

  get #named(): string {
    return this.#bootstrap.map(({ host, port }) => `${host}:${port}`).join(', ')
  }

  async #connect(address: BrokerAddress, key: string): Promise<BrokerConnection> {
    let connection = this.#connections.get(key)
    const isStale = connection !== undefined && connection.name !== nameOf(address)
    if (connection === undefined || isStale) {
      connection = new BrokerConnection(address, this.#options)
      this.#connections.set(key, connection)
    }
    try {
      await connection.open()
    } catch (error) {
      // The next one who asks tries anew.
      if (this.#connections.get(key) === connection) this.#connections.delete(key)
      throw error
    }
    if (this.#closed) {
      await connection.close()
      throw new Error('the connection was closed')
    }
    if (connection.isOpen) return connection
    // It was open and broke.
    this.#connections.delete(key)
    return this.#connect(address, key)
  }
}

function nameOf({ host, port }: BrokerAddress): string {
  return `${host}:${port}`
}

interface ClusterMetadata {
  readonly brokers: readonly (BrokerAddress & { readonly id: number })[]
  readonly topics: readonly TopicMetadata[]
}

function metadataRequest(topics: readonly string[] | undefined): BrokerRequest<ClusterMetadata> {
  const body = new WireWriter()
  if (topics === undefined) body.int32(-1)
  else body.list(topics, topic => void body.string(topic))
  // No topic comes into being by being looked at.
  body.int8(0)
  return {
    name: 'Metadata',
    key: 3,
    version: 5,
    body: body.finish(),
    read: answer => {
      answer.int32()
      const brokers = answer.list(() => {
        const id = answer.int32()
        const host = answer.string() ?? ''
        const port = answer.int32()
        answer.string()
        return { id, host, port }
      })
      answer.string()
      answer.int32()
      const found = answer.list(() => {
        const errorCode = answer.int16()
        const topic = answer.string() ?? ''
        answer.int8()
        const partitions = answer.list(() => {
          answer.int16()
          const partition = answer.int32()
          const leader = answer.int32()
          for (let i = 0; i < 3; i++) answer.list(() => answer.int32())
          return { partition, leader }
        })
        return { errorCode, topic, partitions }
      })
      return { brokers, topics: found }
    },
  }
}

function coordinatorRequest(kind: CoordinatorKind, id: string) {
  const body = new WireWriter().string(id).int8(kind === 'group' ? 0 : 1)
  return {
    name: 'FindCoordinator',
    key: 10,
    version: 2,
    body: body.finish(),
    read: (answer: WireReader) => {
      answer.int32()
      const errorCode = answer.int16()
      answer.string()
      const node = answer.int32()
      const address = { host: answer.string() ?? '', port: answer.int32() }
      return { errorCode, node, address }
    },
  }
}
