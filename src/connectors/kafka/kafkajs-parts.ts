/**
 * What Weir takes of kafkajs: its connection (TCP, TLS, SASL, correlation, timeouts). Its consumer,
 * producer and cluster classes are not used. The only file that loads it, when a job needs it.
 *
 * Mended here: every connection of kafkajs keeps a timer of 1 ms running for ever, with a negative
 * delay that Node warns about.
 */
import { createRequire } from 'node:module'

/** One connection of kafkajs to one broker. */
export interface KafkajsConnection {
  connect(): Promise<boolean>
  authenticate(): Promise<void>
  disconnect(): Promise<boolean>
  isConnected(): boolean
  setVersions(versions: KafkajsVersions): void
  setSupportAuthenticationProtocol(supported: boolean): void
  rejectRequests(error: Error): void
  send(call: KafkajsCall): Promise<Buffer>
  readonly requestQueue: {
    readonly pending: readonly unknown[]
    throttledUntil: number
    scheduleCheckPendingRequests(): void
  }
}

/** By the number of the request. */
export type KafkajsVersions = Readonly<
  Record<number, { readonly minVersion: number; readonly maxVersion: number }>
>

export interface KafkajsCall {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly encode: () => Promise<unknown>
  }
  readonly response: {
    readonly decode: (
      payload: Buffer,
    ) => Promise<{ payload: Buffer; clientSideThrottleTime: number }>
    readonly parse: (decoded: { payload: Buffer }) => Promise<Buffer>
  }
  readonly requestTimeout: number
  readonly logResponseError: boolean
}

export interface KafkajsConnectionOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly ssl: unknown
  readonly sasl: unknown
  readonly connectionTimeout: number
  readonly requestTimeout: number
}

interface KafkajsEncoder {
  buf: Buffer
  offset: number
}

interface Loaded {
  readonly Connection: new (options: object) => KafkajsConnection
  readonly Encoder: new (size: number) => KafkajsEncoder
  readonly socketFactory: unknown
}

let loaded: Loaded | undefined

function load(): Loaded {
  if (loaded !== undefined) return loaded
  const require = createRequire(import.meta.url)
  loaded = {
    Connection: require('kafkajs/src/network/connection.js') as Loaded['Connection'],
    Encoder: require('kafkajs/src/protocol/encoder.js') as Loaded['Encoder'],
    socketFactory: (require('kafkajs/src/network/socketFactory.js') as () => unknown)(),
  }
  return loaded
}

/** What goes wrong is told by errors; kafkajs's own log would repeat it. */
const silent = {
  debug: (): void => {},
  info: (): void => {},
  warn: (): void => {},
  error: (): void => {},
  namespace: (): object => silent,
}

export function makeKafkajsConnection(options: KafkajsConnectionOptions): KafkajsConnection {
  const { Connection, socketFactory } = load()
  const connection = new Connection({
    ...options,
    socketFactory,
    logger: silent,
    enforceRequestTimeout: true,
    reauthenticationThreshold: 10_000,
  })
  const queue = connection.requestQueue
  const schedule = queue.scheduleCheckPendingRequests.bind(queue)
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length === 0) return
    queue.throttledUntil = Math.max(queue.throttledUntil, 0)
    schedule()
  }
  return connection
}

/** The body of a request in the wrapping that kafkajs wants. */
export function wrapBody(body: Buffer): unknown {
  const encoder = new (load().Encoder)(1)
  encoder.buf = body
  encoder.offset = body.length
  return encoder
}
