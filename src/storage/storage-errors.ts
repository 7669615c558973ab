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
  WEIR_STORE_UNSUPPORTED: {
    domain: 'user',
    retry: 'never',
    message: (e: { location: string }) => `cannot open ${e.location} as a checkpoint store`,
    next: 'give a folder: file:///path/to/checkpoints',
  },
})
