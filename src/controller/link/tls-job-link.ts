/**
 * The link to jobmanagers: their REST API over TLS with a key that both ends derive. A jobmanager
 * names the key that it has, so that one of an older master key is found at once.
 *
 * Owns        connections, deadlines, and the check of every answer.
 * Leaves out  when to ask, and what follows from an answer.
 *
 * Invariants
 *  K1  Nothing is sent before the other end has proven that it knows the key of the epoch.
 *  K2  An answer is bounded in time and size, and used only after its schema accepted it.
 *  K3  No key is part of an error.
 */
import { createSecureContext, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { Client } from 'undici'
import { z } from 'zod'
import type { Clock } from '../../common/clock.ts'
import { isWeirError, messageOf } from '../../common/errors.ts'
import {
  type JobFacts,
  jobFactsSchema,
  type SavepointFacts,
  type StopFacts,
  savepointFactsSchema,
  stopFactsSchema,
} from '../../protocol/job-facts.ts'
import { epochKey, type LinkKey, linkKey } from '../../protocol/job-keys.ts'
import { LINK_IDENTITY, LINK_PORT, linkTls } from '../../protocol/link-tls.ts'
import type { JobLink, JobTarget, StopOrder } from './job-link.ts'
import { linkErrors } from './link-errors.ts'

export interface LinkFigures {
  readonly call: string
  /** `ok`, or the code of the error. */
  readonly result: string
  readonly seconds: number
}

export interface TlsJobLinkOptions {
  /** The newest first. */
  readonly masterKeys: readonly string[]
  readonly clock: Clock
  readonly deadlineMs?: number
  readonly port?: number
  readonly observe?: (figures: LinkFigures) => void
}

const DEADLINE_MS = 5_000
const ANSWER_BYTES_MAX = 65_536
const PREFIX = '/api/v1'

const refusalSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) })
const acceptedSchema = z.object({ accepted: z.literal(true) })

interface Call<T> {
  /** For the metrics. */
  readonly name: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: object
  readonly schema: z.ZodType<T>
  readonly signal: AbortSignal | undefined
}

interface Answer {
  readonly status: number
  readonly text: string
}

export class TlsJobLink implements JobLink {
  readonly #options: TlsJobLinkOptions
  /** For all connections: made anew, it is most of what a question costs. Keys are not in it. */
  readonly #context = createSecureContext(linkTls)

  constructor(options: TlsJobLinkOptions) {
    this.#options = options
  }

  facts(target: JobTarget, signal?: AbortSignal): Promise<JobFacts> {
    const call = { name: 'facts', method: 'GET', path: '/facts', schema: jobFactsSchema } as const
    return this.#call(target, { ...call, signal })
  }

  async begin(target: JobTarget, signal?: AbortSignal): Promise<void> {
    const call = { name: 'begin', method: 'POST', path: '/begin', schema: acceptedSchema } as const
    await this.#call(target, { ...call, signal })
  }

  savepoint(target: JobTarget, requestId: string, signal?: AbortSignal): Promise<SavepointFacts> {
    const schema = savepointFactsSchema
    const call = { name: 'savepoint', method: 'POST', path: '/savepoints', schema } as const
    return this.#call(target, { ...call, body: { requestId }, signal })
  }

  savepointState(
    target: JobTarget,
    requestId: string,
    signal?: AbortSignal,
  ): Promise<SavepointFacts | undefined> {
    const path = `/savepoints/${encodeURIComponent(requestId)}`
    const call = { name: 'savepoint-state', method: 'GET', path, signal } as const
    return known(this.#call(target, { ...call, schema: savepointFactsSchema }))
  }

  stop(target: JobTarget, order: StopOrder, signal?: AbortSignal): Promise<StopFacts> {
    const call = { name: 'stop', method: 'POST', path: '/stop', schema: stopFactsSchema } as const
    return this.#call(target, { ...call, body: order, signal })
  }

  stopState(
    target: JobTarget,
    requestId: string,
    signal?: AbortSignal,
  ): Promise<StopFacts | undefined> {
    const path = `/stops/${encodeURIComponent(requestId)}`
    const call = { name: 'stop-state', method: 'GET', path, signal } as const
    return known(this.#call(target, { ...call, schema: stopFactsSchema }))
  }

  async rescale(target: JobTarget, parallelism: number, signal?: AbortSignal): Promise<void> {
    const call = { name: 'rescale', method: 'POST', path: '/rescale' } as const
    await this.#call(target, { ...call, body: { parallelism }, schema: acceptedSchema, signal })
  }

  async #call<T>(target: JobTarget, call: Call<T>): Promise<T> {
    const { clock, observe } = this.#options
    const startedMs = clock.monotonic()
    let result = 'ok'
    try {
      return this.#accept(target, call, await this.#within(target, call))
    } catch (error) {
      result = isWeirError(error) ? error.code : 'WEIR_INTERNAL'
      throw error
    } finally {
      const seconds = (clock.monotonic() - startedMs) / 1_000
      observe?.({ call: call.name, result, seconds })
    }
  }

  /** K2: what was sent may have been carried out all the same; see L2. */
  async #within<T>(target: JobTarget, call: Call<T>): Promise<Answer> {
    const { clock, deadlineMs = DEADLINE_MS } = this.#options
    const own = new AbortController()
    const timer = clock.schedule(deadlineMs, () =>
      own.abort(new Error(`no answer in ${deadlineMs} ms`)),
    )
    const signal =
      call.signal === undefined ? own.signal : AbortSignal.any([own.signal, call.signal])
    try {
      return await this.#exchange(target, call, signal)
    } catch (error) {
      throw signal.aborted ? unreachable(this.#asked(target), signal.reason) : error
    } finally {
      timer.cancel()
    }
  }

  async #exchange<T>(target: JobTarget, call: Call<T>, signal: AbortSignal): Promise<Answer> {
    const client = new Client(`https://${hostOf(target)}`, {
      connect: (_options, done) =>
        void this.#connect(target, signal).then(
          socket => done(null, socket),
          (error: Error) => done(error, null),
        ),
      maxResponseSize: ANSWER_BYTES_MAX,
      // The deadline is kept by the clock that was passed in.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    try {
      const answer = await client.request({
        method: call.method,
        path: PREFIX + call.path,
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal,
      })
      return { status: answer.statusCode, text: await answer.body.text() }
    } catch (error) {
      const isTooLong = (error as { code?: unknown }).code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE'
      if (!isTooLong) throw unreachable(this.#asked(target), error)
      const reason = `it is longer than ${ANSWER_BYTES_MAX} bytes`
      throw linkErrors.WEIR_LINK_MALFORMED({ ...this.#asked(target), reason }, error)
    } finally {
      await client.destroy()
    }
  }

  /** K1: a connection that is proven at both ends. */
  #connect(target: JobTarget, signal: AbortSignal): Promise<TLSSocket> {
    const asked = this.#asked(target)
    const { port = LINK_PORT } = this.#options
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      let isKnown = false
      const socket = tlsConnect({
        secureContext: this.#context,
        host: target.podIp,
        port,
        // There is no certificate: the key is the proof.
        checkServerIdentity: () => undefined,
        pskCallback: hint => {
          const key = this.#keyNamed(hint, target)
          isKnown = key !== undefined
          return key === undefined ? null : { psk: key.secret, identity: LINK_IDENTITY }
        },
      })
      const stop = (): void => void socket.destroy(signal.reason as Error)
      signal.addEventListener('abort', stop, { once: true })
      // It stays: a socket without a listener would end the process with its next error.
      socket.on('error', error => reject(refused(error, { asked, isKnown })))
      socket.once('secureConnect', () => resolve(socket))
    })
  }

  #keyNamed(hint: string | null, target: JobTarget): LinkKey | undefined {
    for (const master of this.#options.masterKeys) {
      const key = linkKey(epochKey(master, target))
      if (key.name === hint) return key
    }
    return undefined
  }

  #accept<T>(target: JobTarget, { schema }: Call<T>, { status, text }: Answer): T {
    const asked = this.#asked(target)
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch (error) {
      const reason = `no JSON, but ${text.length} characters with status ${status}`
      throw linkErrors.WEIR_LINK_MALFORMED({ ...asked, reason }, error)
    }
    const refusal = refusalSchema.safeParse(body)
    if (status >= 300 && refusal.success) {
      const { code, message: said } = refusal.data.error
      throw linkErrors.WEIR_LINK_REFUSED({ job: asked.job, code, said })
    }
    const read = schema.safeParse(body)
    if (status < 300 && read.success) return read.data
    const [issue] = read.error?.issues ?? []
    const reason =
      status >= 300 || issue === undefined
        ? `status ${status}`
        : `${issue.path.join('.')}: ${issue.message}`
    throw linkErrors.WEIR_LINK_MALFORMED({ ...asked, reason })
  }

  #asked(target: JobTarget) {
    const { port = LINK_PORT } = this.#options
    return { job: `${target.namespace}/${target.name}`, address: `${hostOf(target)}:${port}` }
  }
}

type Asked = { readonly job: string; readonly address: string }

function hostOf({ podIp }: JobTarget): string {
  return podIp.includes(':') ? `[${podIp}]` : podIp
}

function unreachable(asked: Asked, error: unknown): Error {
  if (isWeirError(error)) return error
  return linkErrors.WEIR_LINK_UNREACHABLE({ ...asked, reason: messageOf(error) }, error)
}

/** What OpenSSL says of keys that differ is nothing for people. */
function refused(
  error: Error,
  { asked, isKnown }: { readonly asked: Asked; readonly isKnown: boolean },
): Error {
  const { code = '' } = error as NodeJS.ErrnoException
  if (!code.startsWith('ERR_SSL')) return unreachable(asked, error)
  const reason = isKnown
    ? 'it does not know the key that it names'
    : 'it names no key of this epoch that a master key gives'
  return linkErrors.WEIR_LINK_UNPROVEN({ ...asked, reason }, error)
}

/** `undefined` for an id that the jobmanager does not know. */
async function known<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isWeirError(error) && unknownIds.has((error.details as { code?: unknown }).code)) {
      return undefined
    }
    throw error
  }
}

const unknownIds: ReadonlySet<unknown> = new Set([
  'WEIR_REST_SAVEPOINT_UNKNOWN',
  'WEIR_REST_STOP_UNKNOWN',
])
