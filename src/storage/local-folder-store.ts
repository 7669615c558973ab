/**
 * The object store in a folder. A write goes to a file of its own under `.incoming`, is synced, and
 * gets its name by rename (or link, where the name must be free); then the folder is synced. So a
 * crash or a full disk leaves either the whole object or none (S1, S2).
 */
import type { Dirent } from 'node:fs'
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import type { WeirError } from '../common/errors.ts'
import type { Random } from '../common/random.ts'
import { checkObjectKey } from './object-key.ts'
import type { ObjectBytes, ObjectEntry, ObjectStore } from './object-store.ts'
import { type FailedCall, storeFailure } from './store-failure.ts'
import { writePieces } from './write-pieces.ts'

const INCOMING = '.incoming'
/** What a crash left under `.incoming`; nothing takes that long to write. */
const LEFTOVER_AGE_MS = 3_600_000
/** A folder can be removed, being empty, between its making and the rename into it. */
const RENAME_TRIES_MAX = 5

export interface LocalFolderStoreOptions {
  readonly folder: string
  /** For the names of files being written: no two processes may draw the same. */
  readonly random: Random
}

export class LocalFolderStore implements ObjectStore {
  readonly location: string
  readonly #random: Random
  #swept = false

  constructor(options: LocalFolderStoreOptions) {
    this.location = resolve(options.folder)
    this.#random = options.random
  }

  async put(key: string, bytes: ObjectBytes, free?: () => void): Promise<void> {
    await this.#write(key, bytes, async (from, to) => {
      await rename(from, to)
      return true
    })
    free?.()
  }

  putIfAbsent(key: string, bytes: ObjectBytes): Promise<boolean> {
    return this.#write(key, bytes, async (from, to) => {
      try {
        await link(from, to)
        return true
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false
        throw error
      } finally {
        await rm(from, { force: true })
      }
    })
  }

  get(key: string): Promise<Buffer> {
    return this.#read(key, async file => file.readFile())
  }

  getRange(key: string, offset: number, length: number): Promise<Buffer> {
    return this.#read(key, async file => {
      const buffer = Buffer.allocUnsafeSlow(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return buffer.subarray(0, filled)
    })
  }

  async list(prefix: string): Promise<readonly ObjectEntry[]> {
    const found: ObjectEntry[] = []
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    try {
      await this.#walk(folder, prefix, found)
    } catch (error) {
      throw this.#failure('list', prefix, error)
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  async delete(key: string): Promise<void> {
    const path = this.#pathOf(key)
    try {
      await rm(path, { force: true })
    } catch (error) {
      throw this.#failure('delete', key, error)
    }
    await this.#removeEmptyFolders(dirname(path))
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    let failure: unknown
    for (const key of keys) {
      await this.delete(key).catch((error: unknown) => {
        failure ??= error
      })
    }
    if (failure !== undefined) throw failure
  }

  #pathOf(key: string): string {
    checkObjectKey(key)
    return join(this.location, ...key.split('/'))
  }

  async #write(
    key: string,
    bytes: ObjectBytes,
    give: (from: string, to: string) => Promise<boolean>,
  ): Promise<boolean> {
    const path = this.#pathOf(key)
    const incoming = join(this.location, INCOMING, this.#random.uuid())
    try {
      await this.#makeFolder(dirname(incoming))
      await writeSynced(incoming, bytes)
      await this.#sweep(incoming)
      const given = await this.#giveName(incoming, path, give)
      await syncFolder(dirname(path))
      return given
    } catch (error) {
      await rm(incoming, { force: true }).catch(() => undefined)
      throw this.#failure('write', key, error)
    }
  }

  async #giveName(
    from: string,
    to: string,
    give: (from: string, to: string) => Promise<boolean>,
  ): Promise<boolean> {
    for (let tried = 1; ; tried++) {
      await this.#makeFolder(dirname(to))
      try {
        return await give(from, to)
      } catch (error) {
        if (codeOf(error) !== 'ENOENT' || tried >= RENAME_TRIES_MAX) throw error
      }
    }
  }

  /** Makes the folder and those above it; each new one is synced into its parent (S2). */
  async #makeFolder(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true })
    if (first === undefined) return
    for (let made = folder; made.length >= first.length; made = dirname(made)) {
      await syncFolder(dirname(made))
    }
  }

  /** Once: removes what earlier processes left half written, by the file system's own times. */
  async #sweep(mine: string): Promise<void> {
    if (this.#swept) return
    this.#swept = true
    const folder = dirname(mine)
    const now = (await stat(mine)).mtimeMs
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      const age = await stat(path).then(
        found => now - found.mtimeMs,
        () => 0,
      )
      if (age > LEFTOVER_AGE_MS) await rm(path, { force: true })
    }
  }

  async #read<T>(key: string, take: (file: FileHandle) => Promise<T>): Promise<T> {
    const path = this.#pathOf(key)
    let file: FileHandle | undefined
    try {
      file = await open(path, 'r')
      return await take(file)
    } catch (error) {
      throw this.#failure('read', key, error)
    } finally {
      await file?.close()
    }
  }

  async #walk(folder: string, prefix: string, found: ObjectEntry[]): Promise<void> {
    const path = join(this.location, folder)
    for (const entry of await entriesOf(path)) {
      const key = folder + entry.name
      if (entry.name.startsWith('.')) continue
      if (entry.isDirectory()) {
        const inside = `${key}/`
        if (inside.startsWith(prefix) || prefix.startsWith(inside)) {
          await this.#walk(inside, prefix, found)
        }
      } else if (key.startsWith(prefix)) {
        const size = await sizeOf(join(path, entry.name))
        if (size !== undefined) found.push({ key, sizeBytes: size })
      }
    }
  }

  /** Folders are no objects: they go with their last one. */
  async #removeEmptyFolders(from: string): Promise<void> {
    for (let folder = from; folder.startsWith(this.location + sep); folder = dirname(folder)) {
      const removed = await rmdir(folder).then(
        () => true,
        () => false,
      )
      if (!removed) return
    }
  }

  #failure(action: FailedCall['action'], key: string, cause: unknown): WeirError {
    return storeFailure({ action, location: this.location, key }, cause)
  }
}

async function writeSynced(path: string, bytes: ObjectBytes): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await writePieces(file, bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A folder that is not there, or no longer, holds nothing. */
async function entriesOf(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return []
    throw error
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    found => found.size,
    () => undefined,
  )
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}
