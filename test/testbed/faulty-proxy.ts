/**
 * A proxy for HTTP that does to requests what networks and busy servers do. It stands before a real
 * server, so that what the client makes of it is tested whole.
 */
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * `500`, `503`, `unseen`: the server never sees the request; no answer comes to the last. `lost`: it does what was asked, and the answer
 * does not come. `late-500`: likewise, and an error comes. `torn`: half of the answer comes. `slow`:
 * the answer takes its time.
 */
export type HttpFault = '500' | '503' | 'unseen' | 'lost' | 'late-500' | 'torn' | 'slow'

export interface SeenRequest {
  /** Counts from 1. */
  readonly number: number
  readonly method: string
  /** With the query. */
  readonly path: string
  /** Of the client's end: it tells who sent the request. */
  readonly port: number
}

export type FaultOf = (
  request: SeenRequest,
) => HttpFault | undefined | Promise<HttpFault | undefined>

const SLOW_MS = 100

export class FaultyProxy {
  readonly #server: Server
  #fault: FaultOf = () => undefined
  #answered: (request: SeenRequest) => void = () => {}
  #count = 0

  private constructor(target: URL) {
    this.#server = createServer((incoming, answer) => {
      void this.#handle(target, incoming, answer).catch(() => answer.destroy())
    })
  }

  static async start(target: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(new URL(target))
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as { readonly port: number }).port}`
  }

  /** Asked at each request from now on. */
  set fault(decide: FaultOf) {
    this.#count = 0
    this.#fault = decide
  }

  /** Told when the server has done what was asked, before the answer goes on or is lost. */
  set answered(tell: (request: SeenRequest) => void) {
    this.#answered = tell
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #handle(target: URL, incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = incoming
    const port = incoming.socket.remotePort ?? 0
    const seen = { number: ++this.#count, method, path, port }
    const decided = this.#fault(seen)
    const body = await wholeOf(incoming)
    const fault = await decided
    if (fault === '500' || fault === '503') return refuse(answer, Number(fault))
    if (fault === 'unseen') return void answer.destroy()
    const {
      status,
      headers: said,
      body: given,
    } = await new Promise<Answer>((resolve, reject) => {
      // The signature covers the host that the client knows: all headers go on as they are.
      const { hostname, port } = target
      const onward = request({ hostname, port, method, path, headers }, reply => {
        wholeOf(reply).then(
          bytes => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: bytes }),
          reject,
        )
      })
      onward.on('error', reject).end(body)
    })
    this.#answered(seen)
    if (fault === 'lost') return void answer.destroy()
    if (fault === 'late-500') return refuse(answer, 500)
    if (fault === 'slow') await pause(SLOW_MS)
    answer.writeHead(status, said)
    if (fault !== 'torn' || given.length === 0) return void answer.end(given)
    answer.write(given.subarray(0, given.length >> 1), () => answer.destroy())
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

async function wholeOf(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of message) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function refuse(answer: ServerResponse, status: number): void {
  const code = status === 503 ? 'SlowDown' : 'InternalError'
  answer.writeHead(status, { 'content-type': 'application/xml' })
  answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>injected</Message></Error>`)
}
