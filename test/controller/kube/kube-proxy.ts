/**
 * Stands before a real API server and does to requests and watches what networks and busy servers
 * do, as a seed has it.
 */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type KubeConfig, readKubeConfig } from '../../../src/controller/kube/kube-config.ts'
import type { PartEnvironment } from '../../testbed/part.ts'

/**
 * `busy`, `throttled`, `expired-token`, `forbidden`: the server never sees the request. `lost`, `late-500`: it does
 * what was asked. `torn`: half of the answer comes. For watches `gone`: the version is too old;
 * `no-such-option`: an older server; `cut`, `garbage`, `doubled`, `reordered`: after the first events.
 */
export type KubeFault =
  | 'busy'
  | 'throttled'
  | 'expired-token'
  | 'forbidden'
  | 'lost'
  | 'late-500'
  | 'torn'
  | 'slow'
  | 'gone'
  | 'no-such-option'
  | 'cut'
  | 'garbage'
  | 'doubled'
  | 'reordered'

export interface ProxiedRequest {
  readonly method: string
  readonly path: string
  readonly isWatch: boolean
}

export type KubeFaultOf = (request: ProxiedRequest) => KubeFault | undefined

const SLOW_MS = 50
const RESTART_MS = 200

export class KubeProxy {
  /** Asked at each request. */
  fault: KubeFaultOf = () => undefined
  /** What stands in the place of an answer, as a server with other objects would give it. */
  rewrite: (request: ProxiedRequest, given: Buffer) => Buffer = (_request, given) => given
  /** Faults that were done, by their names. */
  readonly done = new Map<KubeFault, number>()
  readonly #target: KubeConfig
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isDown = false

  private constructor(target: KubeConfig) {
    this.#target = target
    this.#server = createServer((incoming, answer) => {
      void this.#handle(incoming, answer).catch(() => answer.destroy())
    })
    this.#server.on('connection', socket => {
      if (this.#isDown) return void socket.destroy()
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(environment: PartEnvironment): Promise<KubeProxy> {
    const readFile = (path: string): string => readFileSync(path, 'utf8')
    const proxy = new KubeProxy(readKubeConfig({ environment, readFile }))
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get config(): KubeConfig {
    const { port } = this.#server.address() as { readonly port: number }
    return {
      server: `http://127.0.0.1:${port}`,
      certificateAuthority: undefined,
      clientCertificate: undefined,
      clientKey: undefined,
      token: 'a-token',
      tokenFile: undefined,
    }
  }

  /** As a server that ends: every connection breaks, none is taken. */
  down(): void {
    this.#isDown = true
    for (const socket of this.#sockets) socket.destroy()
  }

  up(): void {
    this.#isDown = false
  }

  /** As a server that is replaced by another. */
  restart(): void {
    this.down()
    void pause(RESTART_MS).then(() => this.up())
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/' } = incoming
    const isWatch = path.includes('watch=true')
    const fault = this.fault({ method, path, isWatch })
    if (fault !== undefined) this.done.set(fault, (this.done.get(fault) ?? 0) + 1)
    const body = await bytesOf(incoming)
    if (fault === 'busy') return refuse(answer, 500)
    if (fault === 'throttled') return refuse(answer, 429, { 'retry-after': '1' })
    if (fault === 'expired-token') return refuse(answer, 401)
    if (fault === 'forbidden') return refuse(answer, 403)
    if (fault === 'gone') return refuse(answer, 410)
    if (fault === 'no-such-option') return refuse(answer, 422)
    const reply = await this.#forward(incoming, body)
    answer.on('close', () => reply.destroy())
    if (isWatch) return this.#stream(reply, answer, fault)
    const given = this.rewrite({ method, path, isWatch }, await bytesOf(reply))
    if (fault === 'lost') return void answer.destroy()
    if (fault === 'late-500') return refuse(answer, 500)
    if (fault === 'slow') await pause(SLOW_MS)
    answer.writeHead(reply.statusCode ?? 500, { 'content-type': 'application/json' })
    if (fault !== 'torn') return void answer.end(given)
    answer.write(given.subarray(0, given.length >> 1), () => answer.destroy())
  }

  async #stream(reply: IncomingMessage, answer: ServerResponse, fault?: KubeFault): Promise<void> {
    answer.writeHead(reply.statusCode ?? 500, { 'content-type': 'application/json' })
    answer.flushHeaders()
    let rest = ''
    let held = ''
    let count = 0
    for await (const piece of reply) {
      rest += String(piece)
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        const line = rest.slice(0, end + 1)
        rest = rest.slice(end + 1)
        count++
        if (fault === 'cut' && count > 3) {
          answer.write(line.slice(0, line.length >> 1), () => answer.destroy())
          return
        }
        if (fault === 'garbage' && count === 4) answer.write('{"type": \n')
        // Of one object at most: events of the API server keep the order of its versions.
        if (fault === 'reordered' && held === '') held = line
        else {
          answer.write(line + (fault === 'doubled' ? line : '') + held)
          held = ''
        }
      }
    }
    answer.end(held)
  }

  #forward(incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const {
      server,
      certificateAuthority: ca,
      clientCertificate: cert,
      clientKey: key,
    } = this.#target
    const { hostname, port } = new URL(server)
    const { method, url: path } = incoming
    const { authorization: _ours, host: _host, ...headers } = incoming.headers
    return new Promise((resolve, reject) => {
      const options = { hostname, port, method, path, headers, ca, cert, key }
      requestTls(options, resolve).on('error', reject).end(body)
    })
  }
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of message) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function refuse(
  answer: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
): void {
  answer.writeHead(status, { 'content-type': 'application/json', ...headers })
  answer.end(JSON.stringify({ kind: 'Status', code: status, message: 'injected' }))
}
