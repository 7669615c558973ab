/**
 * What Weir takes of kafkajs: its connection (TCP, TLS, SASL, correlation, timeouts). Its consumer,
 * producer and cluster classes are not used. The only file that loads it, when a job needs it.
 *
 * Mended here: every connection of kafkajs keeps a timer of 1 ms running for ever, with a negative
 * delay that Node warns about.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

/** One connection of kafkajs to one broker. */
export interface KafkajsConnection {
  connect(): Promise<boolean>
  authenticate(): Promise<void>
  disconnect(): Promise<boolean>
  isConnected(): boolean
  setVersions(versions: KafkajsVersions): void
  setSupportAuthenticationProtocol(supported: boolean): void
  rejectRequests(error: Error): void
  failIfNotConnected(): void
  nextCorrelationId(): number
  readonly socket: Pick<Socket, 'cork' | 'uncork' | 'write'>
  readonly requestQueue: {
    push(request: QueuedRequest): void
    readonly pending: readonly unknown[]
    throttledUntil: number
    scheduleCheckPendingRequests(): void
  }
}

/** By the number of the request. */
export type KafkajsVersions = Readonly<
  Record<number, { readonly minVersion: number; readonly maxVersion: number }>
>

/** What kafkajs keeps of a request until its answer comes, by the correlation id. */
interface QueuedRequest {
  readonly entry: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly correlationId: number
    readonly resolve: (answer: { readonly payload: Buffer }) => void
    readonly reject: (error: unknown) => void
  }
  readonly expectResponse: true
  readonly requestTimeout: number
  readonly sendRequest: () => void
}

export interface KafkajsCall {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  /** Gives the whole request, in pieces, under this number. */
  readonly frame: (correlationId: number) => readonly Buffer[]
  readonly requestTimeout: number
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

interface Loaded {
  readonly Connection: new (options: object) => KafkajsConnection
  readonly socketFactory: unknown
}

let loaded: Loaded | undefined

function load(): Loaded {
  if (loaded !== undefined) return loaded
  const require = createRequire(import.meta.url)
  loaded = {
    Connection: require('kafkajs/src/network/connection.js') as Loaded['Connection'],
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

/**
 * Sends a request and gives its answer. Not by kafkajs's `send`: that copies each request twice,
 * into buffers that grow by doubling, which is most of what a sink would leave to the collector.
 */
export async function sendBy(connection: KafkajsConnection, call: KafkajsCall): Promise<Buffer> {
  const { apiKey, apiVersion, apiName, frame, requestTimeout } = call
  const correlationId = connection.nextCorrelationId()
  const { payload } = await new Promise<{ readonly payload: Buffer }>((resolve, reject) => {
    connection.failIfNotConnected()
    connection.requestQueue.push({
      entry: { apiKey, apiVersion, apiName, correlationId, resolve, reject },
      expectResponse: true,
      requestTimeout,
      sendRequest: () => {
        const { socket } = connection
        socket.cork()
        for (const piece of frame(correlationId)) socket.write(piece)
        socket.uncork()
      },
    })
  })
  return payload
}
