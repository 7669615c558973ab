/** Calls the REST API of a running job with the token of its run file. */
import { request } from 'node:http'
import type { ErrorView } from '../cluster/jobmanager/rest/job-steering.ts'
import type { RunFile } from '../cluster/jobmanager/rest/run-file.ts'
import { messageOf, WeirError } from '../common/errors.ts'
import { runningJobErrors } from './running-jobs.ts'

/** A job that is asked for what it knows answers within this time. */
const ANSWER_LIMIT_MS = 10_000

/** The resource's JSON. Throws WEIR_JOB_UNREACHABLE, and what the API refuses with. */
export async function getResource<T>(run: RunFile, path: string): Promise<T> {
  return parse<T>(await call(run, { method: 'GET', path }), run)
}

export async function getText(run: RunFile, path: string): Promise<string> {
  return (await call(run, { method: 'GET', path })).text
}

/** Orders something and waits as long as it takes. */
export async function order<T>(run: RunFile, path: string, body: object): Promise<T> {
  return parse<T>(await call(run, { method: 'POST', path, body: { ...body, wait: true } }), run)
}

/** What an order came to, as an error for people. */
export function errorOfView({ code, message, next }: ErrorView): WeirError {
  return new WeirError({
    code,
    domain: 'user',
    retry: 'never',
    message,
    next,
    details: undefined,
  })
}

interface Call {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: object
}

interface Answer {
  readonly status: number
  readonly text: string
}

function parse<T>({ status, text }: Answer, run: RunFile): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw unreachable(run, error)
  }
  if (status < 300) return value as T
  throw errorOfView((value as { readonly error: ErrorView }).error)
}

async function call(run: RunFile, { method, path, body }: Call): Promise<Answer> {
  try {
    return await exchange(run, { method, path, ...(body === undefined ? {} : { body }) })
  } catch (error) {
    throw unreachable(run, error)
  }
}

function exchange(run: RunFile, { method, path, body }: Call): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const headers = { authorization: `Bearer ${run.token}`, 'content-type': 'application/json' }
  const sent = request(`${run.url}${path}`, { method, headers, agent: false }, response => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (piece: string) => {
      text += piece
    })
    response.on('error', reject)
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
  })
  sent.on('error', reject)
  if (method === 'GET') {
    sent.setTimeout(ANSWER_LIMIT_MS, () => sent.destroy(new Error('no answer in time')))
  }
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  return promise
}

function unreachable({ name, url }: RunFile, error: unknown): WeirError {
  return runningJobErrors.WEIR_JOB_UNREACHABLE({ name, url, reason: messageOf(error) }, error)
}
