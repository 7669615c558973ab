/**
 * The object store in memory: for jobs that keep nothing beyond their process, and for tests.
 */
import { checkObjectKey } from './object-key.ts'
import type { ObjectBytes, ObjectEntry, ObjectStore } from './object-store.ts'
import { storageErrors } from './storage-errors.ts'

export class MemoryStore implements ObjectStore {
  readonly location = 'memory'
  readonly #objects = new Map<string, Buffer>()

  async put(key: string, bytes: ObjectBytes, free?: () => void): Promise<void> {
    checkObjectKey(key)
    this.#objects.set(key, copyOf(bytes))
    free?.()
  }

  async putIfAbsent(key: string, bytes: ObjectBytes): Promise<boolean> {
    checkObjectKey(key)
    if (this.#objects.has(key)) return false
    this.#objects.set(key, copyOf(bytes))
    return true
  }

  async get(key: string): Promise<Buffer> {
    return Buffer.from(this.#find(key))
  }

  async getRange(key: string, offset: number, length: number): Promise<Buffer> {
    return Buffer.from(this.#find(key).subarray(offset, offset + length))
  }

  async list(prefix: string): Promise<readonly ObjectEntry[]> {
    return [...this.#objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, bytes]) => ({ key, sizeBytes: bytes.length }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  async delete(key: string): Promise<void> {
    this.#objects.delete(key)
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#objects.delete(key)
  }

  #find(key: string): Buffer {
    checkObjectKey(key)
    const found = this.#objects.get(key)
    if (found !== undefined) return found
    throw storageErrors.WEIR_STORE_NOT_FOUND({ location: this.location, key })
  }
}

function copyOf(bytes: ObjectBytes): Buffer {
  return bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat(bytes)
}
