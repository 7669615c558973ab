/** One connection to one broker: opened, authenticated, and asked. */
import { isWeirError, messageOf } from '../../common/errors.ts'
import type { KafkaConnectionOptions } from './connection-options.ts'
import { kafkaErrors } from './kafka-errors.ts'
import {
  type KafkajsConnection,
  type KafkajsVersions,
  makeKafkajsConnection,
  sendBy,
} from './kafkajs-parts.ts'
import { oauthBearer, TokenRefused } from './oauth-bearer.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

const CONNECT_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const API_VERSIONS = 18

/** A request as it goes out, and how its answer is read. */
export interface BrokerRequest<T> {
  readonly name: string
  readonly key: number
  readonly version: number
  /** The newer header, with room for tags: the versions that the protocol calls flexible. */
  readonly flexible?: boolean
  /** In pieces where copying them together would cost. */
  readonly body: Buffer | readonly Buffer[]
  /** Longer than the usual limit, for requests that wait on purpose. */
  readonly timeoutMs?: number
  readonly read: (answer: WireReader) => T
}

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

export class BrokerConnection {
  readonly name: string
  readonly #connection: KafkajsConnection
  readonly #mechanism: string
  readonly #clientId: string
  #versions: KafkajsVersions = {}
  #opening: Promise<void> | undefined

  constructor(address: BrokerAddress, options: KafkaConnectionOptions) {
    const { tls = false, sasl, clientId = 'weir' } = options
    this.name = `${address.host}:${address.port}`
    this.#mechanism = sasl?.mechanism ?? 'none'
    this.#clientId = clientId
    this.#connection = makeKafkajsConnection({
      ...address,
      clientId,
      ssl: tls === false ? null : tls,
      // kafkajs writes into it.
      sasl: sasl === undefined ? null : saslOf(sasl),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    })
  }

  get isOpen(): boolean {
    return this.#connection.isConnected()
  }

  /** Opens it; once, also when several ask. */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  async ask<T>(request: BrokerRequest<T>): Promise<T> {
    await this.open()
    this.#requireVersion(request.name, request.key, request.version)
    // Where sessions end, it does it again.
    await this.#connection.authenticate()
    const payload = await this.#send(request)
    // Before what was asked for: one byte for no tags.
    return request.read(new WireReader(request.flexible === true ? payload.subarray(1) : payload))
  }

  async close(): Promise<void> {
    if (!this.#connection.isConnected()) return
    // A request that still waits would hold the end back until its time is over.
    this.#connection.rejectRequests(new Error('the connection was closed'))
    await this.#connection.disconnect()
  }

  async #open(): Promise<void> {
    try {
      await this.#connection.connect()
    } catch (error) {
      throw this.#openFailure(error)
    }
    try {
      const versions = await this.#send(apiVersions)
      this.#versions = readVersions(new WireReader(versions))
      this.#connection.setVersions(this.#versions)
      this.#connection.setSupportAuthenticationProtocol(true)
      await this.#connection.authenticate()
    } catch (error) {
      await this.close()
      throw this.#openFailure(error)
    }
  }

  #send(request: Omit<BrokerRequest<unknown>, 'read'>): Promise<Buffer> {
    const { key, version, name, timeoutMs = 0 } = request
    return sendBy(this.#connection, {
      apiKey: key,
      apiVersion: version,
      apiName: name,
      frame: correlationId => this.#frame(request, correlationId),
      requestTimeout: REQUEST_TIMEOUT_MS + timeoutMs,
    })
  }

  /** Length, header and body. */
  #frame(request: Omit<BrokerRequest<unknown>, 'read'>, correlationId: number): readonly Buffer[] {
    const { key, version, body, flexible = false } = request
    const pieces = Array.isArray(body) ? (body as readonly Buffer[]) : [body as Buffer]
    const head = new WireWriter().int32(0).int16(key).int16(version).int32(correlationId)
    head.string(this.#clientId)
    // Tags that nobody sends: one byte for none of them.
    if (flexible) head.int8(0)
    const bytes = head.finish()
    bytes.writeInt32BE(
      pieces.reduce((sum, one) => sum + one.length, bytes.length - 4),
      0,
    )
    return [bytes, ...pieces]
  }

  #requireVersion(request: string, key: number, version: number): void {
    const served = this.#versions[key]
    if (served !== undefined && version >= served.minVersion && version <= served.maxVersion) return
    throw kafkaErrors.WEIR_KAFKA_BROKER_TOO_OLD({
      broker: this.name,
      request,
      version,
      served: served === undefined ? 'none' : `${served.minVersion} to ${served.maxVersion}`,
    })
  }

  #openFailure(error: unknown): Error {
    if (isWeirError(error)) return error
    const broker = this.name
    const reason = messageOf(error)
    const {
      name = '',
      code = '',
      type = '',
    } = error as {
      readonly name?: string
      readonly code?: string | number
      readonly type?: string
    }
    const isRefused = name === 'KafkaJSSASLAuthenticationError' || error instanceof TokenRefused
    if (isRefused || type === 'UNSUPPORTED_SASL_MECHANISM') {
      return kafkaErrors.WEIR_KAFKA_CREDENTIALS({ broker, mechanism: this.#mechanism, reason })
    }
    const isOtherPort = type === 'ILLEGAL_SASL_STATE'
    if (isOtherPort || /certificate|SSL|TLS|wrong version|EPROTO/i.test(`${reason} ${code}`)) {
      return kafkaErrors.WEIR_KAFKA_HANDSHAKE({ broker, reason })
    }
    return kafkaErrors.WEIR_KAFKA_UNREACHABLE({ brokers: broker, reason }, error)
  }
}

/** The broker hung up: it goes down, or it does not like what it got. */
export function isHangUp(error: unknown): boolean {
  const { name, cause } = (error ?? {}) as { readonly name?: string; readonly cause?: unknown }
  return name === 'KafkaJSConnectionClosedError' || (cause !== undefined && isHangUp(cause))
}

const apiVersions = { name: 'ApiVersions', key: API_VERSIONS, version: 0, body: Buffer.alloc(0) }

function readVersions(answer: WireReader): KafkajsVersions {
  answer.int16()
  const entries = answer.list(() => {
    const key = answer.int16()
    return [key, { minVersion: answer.int16(), maxVersion: answer.int16() }] as const
  })
  return Object.fromEntries(entries)
}

function saslOf(sasl: NonNullable<KafkaConnectionOptions['sasl']>): object {
  return sasl.mechanism === 'oauthbearer' ? oauthBearer(sasl.token) : { ...sasl }
}
