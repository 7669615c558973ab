import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Random } from '../common/random.ts'
import { LocalFolderStore } from './local-folder-store.ts'
import type { ObjectStore } from './object-store.ts'
import { storageErrors } from './storage-errors.ts'

/** Where a local run keeps its checkpoints unless the manifest says otherwise. */
export const DEFAULT_CHECKPOINT_FOLDER = '.weir/checkpoints'

export interface OpenStoreOptions {
  /** `file:///folder`, or a path. */
  readonly location: string
  /** What a relative path starts from. */
  readonly folder: string
  readonly random: Random
}

/** Opens the store at a location; touches nothing yet. Throws WEIR_STORE_UNSUPPORTED. */
export function openStore({ location, folder, random }: OpenStoreOptions): ObjectStore {
  if (location.startsWith('file://')) {
    return new LocalFolderStore({ folder: fileURLToPath(location), random })
  }
  if (/^[a-z0-9]+:\/\//i.test(location)) throw storageErrors.WEIR_STORE_UNSUPPORTED({ location })
  return new LocalFolderStore({
    folder: isAbsolute(location) ? location : resolve(folder, location),
    random,
  })
}
