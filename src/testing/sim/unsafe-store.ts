/** A store client with some of its users' protections switched off. */
import { checkpointIdOf, METADATA_FILE } from '../../checkpoint/checkpoint-layout.ts'
import {
  type GenerationRecord,
  readGeneration,
  writeGeneration,
} from '../../checkpoint/generation.ts'
import type { ObjectBytes, ObjectEntry, ObjectStore } from '../../storage/object-store.ts'
import type { Protection } from './protections.ts'

export class UnsafeStore implements ObjectStore {
  readonly location: string
  readonly #inner: ObjectStore
  readonly #off: ReadonlySet<Protection>
  /** The key of the generation that this client took. */
  #generation = ''
  #settled = false
  /** What its attempt settled on. */
  #settlement: Pick<GenerationRecord, 'parallelism' | 'lastCheckpointId'> = {
    parallelism: null,
    lastCheckpointId: 0,
  }

  constructor(inner: ObjectStore, off: ReadonlySet<Protection>) {
    this.location = inner.location
    this.#inner = inner
    this.#off = off
  }

  put(key: string, bytes: ObjectBytes): Promise<void> {
    if (key === this.#generation) return this.#putGeneration(key, bytes)
    const written = this.#inner.put(key, bytes)
    const isMetadata = key.endsWith(METADATA_FILE)
    const isState = key.endsWith('.state')
    if (
      (isMetadata && this.#off.has('stored-before-complete')) ||
      (isState && this.#off.has('stored-before-ack'))
    ) {
      written.catch(() => undefined)
      return Promise.resolve()
    }
    if (!isMetadata || !this.#off.has('doubtful-kept')) return written
    return written.catch(async (error: unknown) => {
      await this.#removeAround(key)
      throw error
    })
  }

  async putIfAbsent(key: string, bytes: ObjectBytes): Promise<boolean> {
    this.#generation = key
    this.#settled = false
    if (!this.#off.has('exclusive-generation')) return this.#inner.putIfAbsent(key, bytes)
    await this.#inner.put(key, bytes)
    return true
  }

  async get(key: string): Promise<Buffer> {
    const bytes = await this.#inner.get(key)
    if (!key.includes('/generations/')) return bytes
    if (this.#off.has('lineage')) return Buffer.alloc(0)
    const record = this.#off.has('asked-once') ? readGeneration(bytes) : undefined
    return record === undefined ? bytes : writeGeneration({ ...record, run: 'another' })
  }

  getRange(key: string, offset: number, length: number): Promise<Buffer> {
    return this.#inner.getRange(key, offset, length)
  }

  async list(prefix: string): Promise<readonly ObjectEntry[]> {
    const entries = await this.#inner.list(prefix)
    const hides =
      prefix.endsWith('/generations/') && this.#settled && this.#off.has('verified-generation')
    return hides ? entries.filter(entry => entry.key <= this.#generation) : entries
  }

  delete(key: string): Promise<void> {
    return this.#inner.delete(key)
  }

  deleteMany(keys: readonly string[]): Promise<void> {
    return this.#inner.deleteMany(keys)
  }

  async #putGeneration(key: string, bytes: ObjectBytes): Promise<void> {
    const whole = bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat(bytes)
    const record = readGeneration(whole)
    const isReservation = this.#settled
    this.#settled = record !== undefined && record.base !== null
    if (isReservation && record !== undefined && this.#off.has('successor-first')) {
      await this.#removeBelow(key, record.lastCheckpointId)
    }
    if (!isReservation && record !== undefined) this.#settlement = record
    await this.#inner.put(key, record === undefined ? bytes : this.#forget(record, bytes))
  }

  #forget(record: GenerationRecord, bytes: ObjectBytes): ObjectBytes {
    const off = this.#off
    const { parallelism, lastCheckpointId } = this.#settlement
    const forgotten = {
      ...(off.has('savepoint-noted') && { savepoint: null }),
      ...(off.has('rescale-noted') && { parallelism }),
      ...(off.has('reserved-ids') && { lastCheckpointId }),
    }
    const isWhole = Object.keys(forgotten).length === 0
    return isWhole ? bytes : writeGeneration({ ...record, ...forgotten })
  }

  async #removeBelow(generationKey: string, id: number): Promise<void> {
    const job = generationKey.split('/', 1)[0] ?? ''
    const entries = await this.#inner.list(`${job}/chk-`)
    const older = entries.filter(({ key }) => (checkpointIdOf(key) ?? id) < id)
    await this.#inner.deleteMany(older.map(entry => entry.key))
  }

  async #removeAround(metadataKey: string): Promise<void> {
    const entries = await this.#inner.list(metadataKey.slice(0, -METADATA_FILE.length))
    const files = entries.filter(({ key }) => key !== metadataKey)
    await this.#inner.deleteMany(files.map(entry => entry.key))
  }
}
