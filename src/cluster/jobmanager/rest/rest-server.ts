/**
 * The HTTP server of one running job. Who may look at the job and steer it has one of two proofs:
 * on this machine's loopback the token that stands in the run file and nowhere else (metrics need
 * none); from another machine the key of the link, without which no TLS connection begins.
 *
 * Owns        the socket, the checks of a request, the answers' form.
 * Leaves out  what a resource says (`rest-routes.ts`).
 *
 * Invariants
 *  H1  Nothing of a request's body is used before its sender was proven.
 *  H2  The server never keeps the process alive, and never fails the job.
 *  H3  Without encryption it listens on the loopback only.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { isWeirError, messageOf, type WeirError } from '../../../common/errors.ts'
import type { LinkKey } from '../../../protocol/job-keys.ts'
import { LINK_IDENTITY, linkTls } from '../../../protocol/link-tls.ts'
import { errorView } from './job-steering.ts'
import { readBody } from './read-body.ts'
import { restErrors } from './rest-errors.ts'
import {
  API_PREFIX,
  type RestAnswer,
  type RestResources,
  type Route,
  routes,
} from './rest-routes.ts'

const LOOPBACK = '127.0.0.1'
const CONNECTIONS_MAX = 64
const HEADER_BYTES_MAX = 16_384
/** A request must have come whole by then. */
const REQUEST_LIMIT_MS = 10_000
/** Answers under way at the end of the job get so long to leave. */
const CLOSE_LIMIT_MS = 2_000

/** Codes that are not 400. */
const statusOf: Readonly<Record<string, number>> = {
  WEIR_REST_UNAUTHORIZED: 401,
  WEIR_REST_NOT_FOUND: 404,
  WEIR_REST_CHECKPOINT_UNKNOWN: 404,
  WEIR_REST_SAVEPOINT_UNKNOWN: 404,
  WEIR_REST_STOP_UNKNOWN: 404,
  WEIR_REST_VERTEX_UNKNOWN: 404,
  WEIR_REST_PROCESS_UNKNOWN: 404,
  WEIR_RESCALE_REFUSED: 409,
  WEIR_STOP_REFUSED: 409,
  WEIR_REST_METHOD_NOT_ALLOWED: 405,
  WEIR_REST_BODY_TOO_LARGE: 413,
  WEIR_REST_BUSY: 429,
  WEIR_REST_INTERNAL: 500,
}

/** How a sender proves that it may. Port 0: any free one. */
export type RestAccess =
  | { readonly kind: 'token'; readonly token: string; readonly port: number }
  | {
      readonly kind: 'link'
      readonly key: LinkKey
      readonly host: string
      readonly port: number
    }

export interface RestServerOptions {
  readonly resources: RestResources
  readonly access: RestAccess
}

export class RestServer {
  readonly #options: RestServerOptions
  readonly #resources: RestResources
  readonly #server: Server
  /** `undefined`: the connection is the proof. */
  readonly #tokenHash: Buffer | undefined

  private constructor(options: RestServerOptions) {
    this.#options = options
    this.#resources = options.resources
    const { access } = options
    if (access.kind === 'token') this.#tokenHash = hashOf(`Bearer ${access.token}`)
    this.#server = serverFor(access, (request, response) => {
      // The answer cannot be given to somebody who has gone.
      this.#serve(request, response).catch(() => response.destroy())
    })
    this.#server.maxConnections = CONNECTIONS_MAX
  }

  /** Rejects when the port is taken. */
  static async listen(options: RestServerOptions): Promise<RestServer> {
    const server = new RestServer(options)
    await server.#listen()
    return server
  }

  /** Where the resources are, without a slash at the end. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    const { access } = this.#options
    const start = access.kind === 'token' ? `http://${LOOPBACK}` : `https://${access.host}`
    return `${start}:${port}${API_PREFIX}`
  }

  /** For after the job's end: lets what was ordered come to its end and its answers leave. */
  async close(): Promise<void> {
    await this.#resources.steering.settled()
    const closed = new Promise<void>(resolve => {
      this.#server.close(() => resolve())
    })
    const { clock } = this.#resources.observed
    const timer = clock.schedule(CLOSE_LIMIT_MS, () => this.#server.closeAllConnections())
    await closed
    timer.cancel()
  }

  #listen(): Promise<void> {
    const { access } = this.#options
    // H3
    const host = access.kind === 'token' ? LOOPBACK : access.host
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port: access.port }, () => {
        this.#server.off('error', reject)
        this.#server.unref()
        resolve()
      })
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
    let answer: RestAnswer
    try {
      answer = await this.#answer(request, path, new URLSearchParams(query))
    } catch (error) {
      answer = refusal(error, path)
    }
    const { status, body, contentType } = answer
    const text = contentType === undefined ? `${JSON.stringify(body)}\n` : String(body)
    response.writeHead(status, {
      'content-type': contentType ?? 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // A connection that stays open would hold up the end of the job.
      connection: 'close',
    })
    response.end(text)
  }

  async #answer(
    request: IncomingMessage,
    path: string,
    query: URLSearchParams,
  ): Promise<RestAnswer> {
    const method = request.method ?? ''
    const found = routes.filter(route => matches(route, path) !== undefined)
    const route = found.find(one => one.method === method)
    // H1: before anything is told about what there is.
    if (route?.isOpen !== true && !this.#isAllowed(request)) {
      throw restErrors.WEIR_REST_UNAUTHORIZED({ path })
    }
    if (found.length === 0) throw unknownPath(path)
    if (route === undefined) {
      const allowed = found.map(one => one.method)
      throw restErrors.WEIR_REST_METHOD_NOT_ALLOWED({ method, path, allowed })
    }
    const body = route.method === 'POST' ? await readBody(request) : undefined
    return await route.handle(this.#resources, { params: matches(route, path) ?? {}, query, body })
  }

  /** Compared by hashes: the time it takes tells nothing about the token. */
  #isAllowed(request: IncomingMessage): boolean {
    if (this.#tokenHash === undefined) return true
    return timingSafeEqual(hashOf(request.headers.authorization ?? ''), this.#tokenHash)
  }
}

function serverFor(
  access: RestAccess,
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const limits = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: REQUEST_LIMIT_MS,
    requestTimeout: REQUEST_LIMIT_MS,
  }
  if (access.kind === 'token') return createServer(limits, serve)
  const { secret, name } = access.key
  const tls = {
    ...linkTls,
    handshakeTimeout: REQUEST_LIMIT_MS,
    pskIdentityHint: name,
    pskCallback: (_socket: unknown, identity: string) =>
      identity === LINK_IDENTITY ? secret : null,
  }
  // Whoever does not know the key ends its own connection and nothing else.
  return createTlsServer({ ...limits, ...tls }, serve)
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The parts in braces by their names; `undefined`: another path. */
function matches(route: Route, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = `${API_PREFIX}${route.path}`.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? ''
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined ? part !== value : value === '') return undefined
    if (name !== undefined) params[name] = decoded(value)
  }
  return params
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function unknownPath(path: string): WeirError {
  const known = routes.map(route => `${route.method} ${API_PREFIX}${route.path}`)
  return restErrors.WEIR_REST_NOT_FOUND({ path, known })
}

function refusal(error: unknown, path: string): RestAnswer {
  const told = isWeirError(error)
    ? error
    : restErrors.WEIR_REST_INTERNAL({ path, reason: messageOf(error) }, error)
  return { status: statusOf[told.code] ?? 400, body: { error: errorView(told) } }
}
