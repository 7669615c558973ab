/**
 * What Weir takes of kafkajs: its connection (TCP, TLS, SASL, correlation, timeouts). Its consumer,
 * producer and cluster classes are not used. The only file that loads it, when a job needs it.
 *
 * Mended here:
 *  - Every connection of kafkajs keeps a timer of 1 ms running for ever, with a negative delay that
 *    Node warns about.
 *  - It copies each request twice, and each answer once, out of pieces that are garbage then.
 */
import { createRequire } from 'node:module'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AnswerFrames } from './answer-frames.ts'

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
    fulfillRequest(answer: QueuedAnswer): void
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

/** An answer, by which kafkajs finds the request. */
interface QueuedAnswer {
  readonly correlationId: number
  readonly size: number
  readonly payload: Buffer
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

type Connection = new (options: object) => KafkajsConnection

const KEEP_ALIVE_MS = 60_000

let loaded: Connection | undefined

function load(): Connection {
  loaded ??= createRequire(import.meta.url)('kafkajs/src/network/connection.js') as Connection
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
  const Connection = load()
  const connection: KafkajsConnection = new Connection({
    ...options,
    socketFactory: (wanted: WantedSocket) => {
      return openSocket(wanted, answer => {
        connection.requestQueue.fulfillRequest({
          correlationId: answer.readInt32BE(0),
          size: answer.length,
          payload: answer.subarray(4),
        })
      })
    },
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

/** What kafkajs asks for when it connects. */
interface WantedSocket {
  readonly host: string
  readonly port: number
  readonly ssl: object | boolean | null
  readonly onConnect: () => void
}

/** It gives its bytes to nobody else: kafkajs would put them together again. */
function openSocket(
  { host, port, ssl, onConnect }: WantedSocket,
  done: (answer: Buffer) => void,
): Socket {
  const frames = new AnswerFrames(done)
  const onread = {
    buffer: () => frames.room,
    callback: (count: number) => {
      try {
        frames.take(count)
      } catch (error) {
        socket.destroy(error as Error)
      }
      return true
    },
  }
  const address = { host, port, onread }
  const name = isIP(host) === 0 ? { servername: host } : {}
  const socket =
    ssl === null
      ? connectPlain(address, onConnect)
      : connectTls({ ...address, ...name, ...(ssl === true ? {} : ssl) } as object, onConnect)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  return socket
}

/**
 * Sends a request and gives its answer. Not by kafkajs's `send`: its copies, in buffers that grow
 * by doubling, are most of what a sink would leave to the collector.
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
