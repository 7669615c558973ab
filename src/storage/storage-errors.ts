import { defineErrors } from '../common/errors.ts'

export interface StoreFailure {
  readonly location: string
  readonly key: string
}

const place = (e: StoreFailure): string => `${e.location}/${e.key}`

export const storageErrors = defineErrors({
  WEIR_STORE_NOT_FOUND: {
    domain: 'external',
    retry: 'never',
    message: (e: StoreFailure) => `there is no ${place(e)}`,
    next: 'check the path; `--restore latest` finds the last completed checkpoint by itself',
  },
  WEIR_STORE_FULL: {
    domain: 'external',
    retry: 'later',
    message: (e: StoreFailure) => `no space left to write ${place(e)}`,
    next: 'free space there, or lower spec.checkpoint.retained',
  },
  WEIR_STORE_DENIED: {
    domain: 'external',
    retry: 'later',
    message: (e: StoreFailure & { action: string }) => `not allowed to ${e.action} ${place(e)}`,
    next: 'give the user that runs Weir the right to read and write there',
  },
  WEIR_STORE_FAILED: {
    domain: 'external',
    retry: 'later',
    message: (e: StoreFailure & { action: string; reason: string }) =>
      `cannot ${e.action} ${place(e)}: ${e.reason}`,
    next: 'see the reason; the operation is tried again with the next checkpoint',
  },
  WEIR_STORE_KEY_INVALID: {
    domain: 'internal',
    retry: 'never',
    message: (e: { key: string }) => `${JSON.stringify(e.key)} is no object key`,
    next: 'keys are slash paths of letters, digits and _ . = % + @ -, at most 1024 bytes long',
  },
  WEIR_STORE_LOCATION_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { location: string; reason: string }) => `cannot read ${e.location}: ${e.reason}`,
    next: 'write s3://bucket/prefix, with ?endpoint=http://host:port for a server other than AWS',
  },
  WEIR_STORE_BUCKET_MISSING: {
    domain: 'user',
    retry: 'never',
    message: (e: { location: string }) => `the bucket of ${e.location} does not exist`,
    next: 'create the bucket, or correct its name, region or endpoint (AWS_ENDPOINT_URL_S3)',
  },
  WEIR_STORE_UNREACHABLE: {
    domain: 'external',
    retry: 'later',
    message: (e: { location: string; endpoint: string; reason: string }) =>
      `no server for ${e.location} answers (endpoint: ${e.endpoint}): ${e.reason}`,
    next:
      'see that the server runs and can be reached from here; its address stands in the location ' +
      '(?endpoint=http://host:port) or in AWS_ENDPOINT_URL_S3',
  },
  WEIR_STORE_CREDENTIALS: {
    domain: 'user',
    retry: 'never',
    message: (e: { location: string; reason: string }) =>
      `the credentials for ${e.location} are refused or missing: ${e.reason}`,
    next:
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; on a cluster the secret ' +
      'or the service account of the job',
  },
  WEIR_STORE_UNSUPPORTED: {
    domain: 'user',
    retry: 'never',
    message: (e: { location: string }) => `cannot open ${e.location} as a checkpoint store`,
    next: 'give a folder (file:///path/to/checkpoints) or a bucket (s3://bucket/prefix)',
  },
})
