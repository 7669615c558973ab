/** What S3 says, and what a person is told. */
import { describe, expect, test } from '@jest/globals'
import { isRetriable, s3Failure } from '../../../src/storage/s3/s3-failure.ts'

interface Case {
  readonly thrown: { readonly name?: string; readonly code?: string; readonly status?: number }
  readonly action?: 'read' | 'write'
  readonly code: string
  readonly isRetriable: boolean
}

const cases: Record<string, Case> = {
  'an object that is not there': {
    thrown: { name: 'NoSuchKey', status: 404 },
    action: 'read',
    code: 'WEIR_STORE_NOT_FOUND',
    isRetriable: false,
  },
  'a bucket that is not there': {
    thrown: { name: 'NoSuchBucket', status: 404 },
    code: 'WEIR_STORE_BUCKET_MISSING',
    isRetriable: false,
  },
  'a wrong secret': {
    thrown: { name: 'SignatureDoesNotMatch', status: 403 },
    code: 'WEIR_STORE_CREDENTIALS',
    isRetriable: false,
  },
  'a token whose time is over': {
    thrown: { name: 'ExpiredToken', status: 400 },
    code: 'WEIR_STORE_CREDENTIALS',
    isRetriable: false,
  },
  'no credentials anywhere': {
    thrown: { name: 'CredentialsProviderError' },
    code: 'WEIR_STORE_CREDENTIALS',
    isRetriable: false,
  },
  'a policy that does not allow it': {
    thrown: { name: 'AccessDenied', status: 403 },
    code: 'WEIR_STORE_DENIED',
    isRetriable: false,
  },
  'a quota that is used up': {
    thrown: { name: 'QuotaExceeded', status: 403 },
    code: 'WEIR_STORE_FULL',
    isRetriable: false,
  },
  'a disk that is full': {
    thrown: { name: 'InsufficientStorage', status: 507 },
    code: 'WEIR_STORE_FULL',
    isRetriable: false,
  },
  'a server that is busy': {
    thrown: { name: 'SlowDown', status: 503 },
    code: 'WEIR_STORE_FAILED',
    isRetriable: true,
  },
  'a write that raced with another': {
    thrown: { name: 'ConditionalRequestConflict', status: 409 },
    code: 'WEIR_STORE_FAILED',
    isRetriable: true,
  },
  'a port that nobody listens on': {
    thrown: { code: 'ECONNREFUSED' },
    code: 'WEIR_STORE_UNREACHABLE',
    isRetriable: true,
  },
  'a name that does not exist': {
    thrown: { code: 'ENOTFOUND' },
    code: 'WEIR_STORE_UNREACHABLE',
    isRetriable: false,
  },
}

describe('what S3 said is told as what it means', () => {
  test.each(Object.entries(cases))('%s', (_, { thrown, action = 'write', code, ...wanted }) => {
    const { status, name = 'Error', ...rest } = thrown
    const $metadata = status === undefined ? {} : { httpStatusCode: status }
    const error = Object.assign(new Error('said'), { name, $metadata, ...rest })
    const call = { action, location: 's3://bucket/jobs', key: 'a/b', endpoint: 'http://here' }
    const told = s3Failure(call, error, 1)
    expect(told.code).toBe(code)
    expect(told.message).toContain('s3://bucket/jobs')
    expect(told.cause).toBeUndefined()
    expect(isRetriable(error)).toBe(wanted.isRetriable)
  })
})
