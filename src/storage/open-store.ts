import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, SystemClock } from '../common/clock.ts'
import type { Random } from '../common/random.ts'
import { LocalFolderStore } from './local-folder-store.ts'
import type { ObjectStore } from './object-store.ts'
import { S3ObjectStore } from './s3/s3-object-store.ts'
import { storageErrors } from './storage-errors.ts'

/** Where a local run keeps its checkpoints unless the manifest says otherwise. */
export const DEFAULT_CHECKPOINT_FOLDER = '.weir/checkpoints'

export interface OpenStoreOptions {
  /** `s3://bucket/prefix`, `file:///folder`, or a path. */
  readonly location: string
  /** What a relative path starts from. */
  readonly folder: string
  readonly random: Random
  /** For the waits between retries; default: the machine's. */
  readonly clock?: Clock
}

/** Whether what lies there has to be fetched. */
export function isRemote(location: string): boolean {
  return /^(?!file:)[a-z0-9]+:\/\//i.test(location)
}

/**
 * Opens the store at a location; touches nothing yet. Throws WEIR_STORE_UNSUPPORTED and
 * WEIR_STORE_LOCATION_INVALID.
 */
export function openStore(options: OpenStoreOptions): ObjectStore {
  const { location, folder, random, clock = new SystemClock() } = options
  if (location.startsWith('s3://')) return new S3ObjectStore({ location, random, clock })
  if (location.startsWith('file://')) {
    return new LocalFolderStore({ folder: fileURLToPath(location), random })
  }
  if (/^[a-z0-9]+:\/\//i.test(location)) throw storageErrors.WEIR_STORE_UNSUPPORTED({ location })
  return new LocalFolderStore({
    folder: isAbsolute(location) ? location : resolve(folder, location),
    random,
  })
}
