/** What S3 said, as an error of Weir, and whether trying again can help. */
import { isWeirError, messageOf, type WeirError } from '../../common/errors.ts'
import { storageErrors } from '../storage-errors.ts'
import type { FailedCall } from '../store-failure.ts'

/** The fields of an error of the SDK or of a socket that are looked at. */
interface S3Error {
  readonly name?: string
  readonly Code?: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

const credentialNames = new Set([
  'SignatureDoesNotMatch',
  'InvalidAccessKeyId',
  'InvalidToken',
  'ExpiredToken',
  'XAdminUserNotFound',
  'CredentialsProviderError',
  'TokenProviderError',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
])

const retriableNames = new Set([
  'TimeoutError',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'SlowDown',
  'ConditionalRequestConflict',
  'OperationAborted',
  'InternalError',
  'TornAnswer',
])

const retriableCodes = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** Of sockets and names: nothing was reached that could have answered. */
const unreachableCodes = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

export interface FailedRequest extends FailedCall {
  /** Where the server was looked for, as far as the location says. */
  readonly endpoint: string
}

/** The name that S3 gave it, such as `NoSuchKey`. */
export function nameOf(error: unknown): string {
  const { name, Code, code } = (error ?? {}) as S3Error
  if (name !== undefined && name !== 'Error') return name
  return Code ?? code ?? 'Error'
}

/** Of a socket. */
function codeOf(error: unknown): string {
  return ((error ?? {}) as S3Error).code ?? ''
}

export function statusOf(error: unknown): number | undefined {
  return ((error ?? {}) as S3Error).$metadata?.httpStatusCode
}

/** A condition of the request did not hold: the object was there, or another than expected. */
export function isRefusedCondition(error: unknown): boolean {
  return statusOf(error) === 412 || nameOf(error) === 'PreconditionFailed'
}

function isAbsent(error: unknown): boolean {
  const name = nameOf(error)
  return name === 'NoSuchKey' || name === 'NotFound'
}

/** True where the same request may succeed a little later. */
export function isRetriable(error: unknown): boolean {
  if (isWeirError(error)) return false
  const status = statusOf(error)
  if (status === 429 || status === 408) return true
  if (status !== undefined && status >= 500 && status !== 501 && status !== 507) return true
  if (retriableNames.has(nameOf(error))) return true
  if (retriableCodes.has(codeOf(error))) return true
  // Node gives these no code.
  return /socket hang up|aborted|other side closed/.test(messageOf(error))
}

/** The WEIR_STORE error. What the SDK threw is not handed on: it holds the signed request. */
export function s3Failure(call: FailedRequest, thrown: unknown, tries: number): WeirError {
  if (isWeirError(thrown)) return thrown
  const { location, key, action, endpoint } = call
  const name = nameOf(thrown)
  const status = statusOf(thrown)
  if (name === 'NoSuchBucket') return storageErrors.WEIR_STORE_BUCKET_MISSING({ location })
  if (credentialNames.has(name)) {
    return storageErrors.WEIR_STORE_CREDENTIALS({ location, reason: name })
  }
  if (action === 'read' && isAbsent(thrown)) {
    return storageErrors.WEIR_STORE_NOT_FOUND({ location, key })
  }
  if (status === 507 || /Quota|NoSpace/i.test(name)) {
    return storageErrors.WEIR_STORE_FULL({ location, key })
  }
  if (status === 403) return storageErrors.WEIR_STORE_DENIED({ location, key, action })
  const reason = reasonOf(thrown, tries)
  if (unreachableCodes.has(codeOf(thrown))) {
    return storageErrors.WEIR_STORE_UNREACHABLE({ location, endpoint, reason })
  }
  return storageErrors.WEIR_STORE_FAILED({ location, key, action, reason })
}

function reasonOf(thrown: unknown, tries: number): string {
  const name = nameOf(thrown)
  const status = statusOf(thrown)
  const text = messageOf(thrown)
  const words = name === 'Error' || text.includes(name) ? text : `${name}: ${text}`
  const answer = status === undefined ? words : `${status} ${words}`
  return tries > 1 ? `${answer} (tried ${tries} times)` : answer
}
