import { isWeirError, type WeirError } from '../common/errors.ts'
import { type StoreFailure, storageErrors } from './storage-errors.ts'

export interface FailedCall extends StoreFailure {
  readonly action: 'read' | 'write' | 'list' | 'delete'
}

/** The WEIR_STORE error for what the file system said. */
export function storeFailure({ action, location, key }: FailedCall, cause: unknown): WeirError {
  if (isWeirError(cause)) return cause
  const where = { location, key }
  switch ((cause as NodeJS.ErrnoException | undefined)?.code) {
    case 'ENOENT':
      if (action === 'read') return storageErrors.WEIR_STORE_NOT_FOUND(where, cause)
      break
    case 'ENOSPC':
    case 'EDQUOT':
      return storageErrors.WEIR_STORE_FULL(where, cause)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return storageErrors.WEIR_STORE_DENIED({ ...where, action }, cause)
    default:
  }
  const reason = cause instanceof Error ? cause.message : String(cause)
  return storageErrors.WEIR_STORE_FAILED({ ...where, action, reason }, cause)
}
