/**
 * Requests to the API server: one keep-alive pool, a rate, a deadline for each answer, a token that
 * may expire. It never sends a write twice: who asked looks again at what became of it. Only a 401
 * is answered by one more try with a fresh token: a request that was not let in did nothing.
 */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../common/clock.ts'
import { isWeirError, messageOf } from '../../common/errors.ts'
import { redactText } from '../../common/redact.ts'
import { kubeErrors, refusal } from './kube-errors.ts'
import type { TokenBucket } from './token-bucket.ts'

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal | undefined
  /** For the metrics. */
  readonly resource: string
}

/** Gives the token, read again where the one before was refused. */
export type TokenSource = (isRefused: boolean) => Promise<string>

export interface RequestFigures {
  readonly verb: string
  readonly resource: string
  /** 0: no answer. */
  readonly status: number
  /** By the clock of the server, as its header says it. */
  readonly date: string | undefined
  readonly seconds: number
}

export interface TransportOptions {
  /** Scheme, host and port. */
  readonly server: string
  readonly dispatcher: Dispatcher
  readonly token: TokenSource | undefined
  readonly clock: Clock
  readonly bucket: TokenBucket
  readonly deadlineMs: number
  readonly observe: (figures: RequestFigures) => void
}

type Answer = Dispatcher.ResponseData

/** Held back, a leader would lose its lease just when there is most to do. */
const urgent: ReadonlySet<string> = new Set(['leases'])

export class KubeTransport {
  readonly #options: TransportOptions

  constructor(options: TransportOptions) {
    this.#options = options
  }

  /** The body of the answer. Throws a WEIR_KUBE error for anything but a 2xx. */
  async request(call: ApiCall): Promise<unknown> {
    const deadline = this.#deadline(call)
    try {
      const answer = await this.#sendWithToken(call, deadline.signal)
      const text = await answer.body.text()
      return this.#bodyOf(call, answer.statusCode, text)
    } catch (error) {
      throw this.#unreachable(call, error, deadline.signal)
    } finally {
      deadline.end()
    }
  }

  /** The body of the answer as it comes; the deadline is for its beginning only. */
  async open(call: ApiCall): Promise<AsyncIterable<Buffer>> {
    const deadline = this.#deadline(call)
    try {
      const answer = await this.#sendWithToken(call, deadline.signal)
      if (answer.statusCode === 200) {
        deadline.endWait()
        // A stream that is cut off after this is the reader's business.
        return answer.body as AsyncIterable<Buffer>
      }
      this.#bodyOf(call, answer.statusCode, await answer.body.text())
      throw kubeErrors.WEIR_KUBE_MALFORMED({ ...call, reason: `status ${answer.statusCode}` })
    } catch (error) {
      deadline.end()
      throw this.#unreachable(call, error, deadline.signal)
    }
  }

  async #sendWithToken(call: ApiCall, signal: AbortSignal): Promise<Answer> {
    const { token } = this.#options
    const answer = await this.#send(call, signal, await token?.(false))
    if (answer.statusCode !== 401 || token === undefined) return answer
    await answer.body.dump()
    return this.#send(call, signal, await token(true))
  }

  async #send(call: ApiCall, signal: AbortSignal, token: string | undefined): Promise<Answer> {
    const { server, dispatcher, bucket, clock, observe } = this.#options
    if (!urgent.has(call.resource)) await bucket.take()
    signal.throwIfAborted()
    const startedMs = clock.monotonic()
    let status = 0
    let date: string | undefined
    try {
      const answer = await dispatcher.request({
        origin: server,
        path: call.path + queryOf(call),
        method: call.method,
        headers: headersOf(call, token),
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal,
        // The deadline is kept here, by the clock that was passed in.
        headersTimeout: 0,
        bodyTimeout: 0,
      })
      status = answer.statusCode
      date = headerOf(answer, 'date')
      if (status === 429 || status === 503) bucket.closeFor(retryAfterMs(answer))
      return answer
    } finally {
      const seconds = (clock.monotonic() - startedMs) / 1_000
      observe({ verb: verbOf(call), resource: call.resource, status, date, seconds })
    }
  }

  #bodyOf(call: ApiCall, status: number, text: string): unknown {
    const body = parse(text)
    if (status >= 200 && status < 300) {
      if (body !== undefined) return body
      const reason = `no JSON, but ${text.length} characters`
      throw kubeErrors.WEIR_KUBE_MALFORMED({ ...call, reason })
    }
    const { method, path } = call
    throw refusal({ method, path, status, said: saidOf(body) })
  }

  #unreachable(call: ApiCall, error: unknown, signal: AbortSignal): unknown {
    if (isWeirError(error)) return error
    const { method, path } = call
    const reason = signal.aborted ? messageOf(signal.reason) : messageOf(error)
    return kubeErrors.WEIR_KUBE_UNREACHABLE({ method, path, reason }, error)
  }

  #deadline(call: ApiCall) {
    const own = new AbortController()
    const { deadlineMs, clock } = this.#options
    const timer = clock.schedule(deadlineMs, () =>
      own.abort(new Error(`no answer in ${deadlineMs} ms`)),
    )
    const stop = (): void => own.abort(call.signal?.reason)
    if (call.signal?.aborted === true) stop()
    call.signal?.addEventListener('abort', stop, { once: true })
    return {
      signal: own.signal,
      endWait: () => timer.cancel(),
      end: () => {
        timer.cancel()
        call.signal?.removeEventListener('abort', stop)
      },
    }
  }
}

function headersOf(call: ApiCall, token: string | undefined): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'weir' }
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  if (call.body !== undefined) headers['content-type'] = call.contentType ?? 'application/json'
  return headers
}

function queryOf({ query = {} }: ApiCall): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined)
  if (pairs.length === 0) return ''
  const texts = pairs.map(([name, value]): [string, string] => [name, String(value)])
  return `?${new URLSearchParams(texts).toString()}`
}

function verbOf({ method, query }: ApiCall): string {
  return query?.watch === undefined ? method : 'WATCH'
}

function headerOf({ headers }: Answer, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

/** In seconds; without one, a second. */
function retryAfterMs({ headers }: Answer): number {
  const seconds = Number(headers['retry-after'] ?? 1)
  return Number.isFinite(seconds) ? Math.min(60, Math.max(0, seconds)) * 1_000 : 1_000
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** The words of a `Status`: fields and values, and whatever an admission rule says. */
function saidOf(body: unknown): string {
  const { message } = (body ?? {}) as { readonly message?: unknown }
  return typeof message === 'string' ? redactText(message).slice(0, 1_000) : ''
}
