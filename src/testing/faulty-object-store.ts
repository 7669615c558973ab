/**
 * An object store that fails on demand: for tests of what a job does when its storage does not do
 * what it should.
 */
import type { Clock } from '../common/clock.ts'
import type { ObjectBytes, ObjectEntry, ObjectStore } from '../storage/object-store.ts'
import { storageErrors } from '../storage/storage-errors.ts'

/** A call that is about to be made. */
export interface StoreCall {
  /** Counts the calls from 1. */
  readonly number: number
  readonly operation: 'put' | 'putIfAbsent' | 'get' | 'getRange' | 'list' | 'delete'
  /** Of `list`: the prefix. */
  readonly key: string
}

/**
 * What becomes of a call. `fail`: nothing happens, and it rejects. `full`: so does a full disk.
 * `lose-answer`: it happens, and rejects all the same. `delayMs`: it happens that much later.
 */
export type StoreFault = 'fail' | 'full' | 'lose-answer' | { readonly delayMs: number }

/** What stands behind the store, and when it fails. */
export interface FaultyObjectStoreOptions {
  readonly inner: ObjectStore
  /** For delays. */
  readonly clock: Clock
  /** Asked at each call; `undefined` lets it pass. */
  readonly fault: (call: StoreCall) => StoreFault | undefined
}

/** Passes calls on to another store, except for those that a test lets fail. */
export class FaultyObjectStore implements ObjectStore {
  readonly location: string
  readonly #options: FaultyObjectStoreOptions
  #calls = 0

  constructor(options: FaultyObjectStoreOptions) {
    this.#options = options
    this.location = options.inner.location
  }

  put(key: string, bytes: ObjectBytes): Promise<void> {
    return this.#call('put', key, store => store.put(key, bytes))
  }

  putIfAbsent(key: string, bytes: ObjectBytes): Promise<boolean> {
    return this.#call('putIfAbsent', key, store => store.putIfAbsent(key, bytes))
  }

  get(key: string): Promise<Buffer> {
    return this.#call('get', key, store => store.get(key))
  }

  getRange(key: string, offset: number, length: number): Promise<Buffer> {
    return this.#call('getRange', key, store => store.getRange(key, offset, length))
  }

  list(prefix: string): Promise<readonly ObjectEntry[]> {
    return this.#call('list', prefix, store => store.list(prefix))
  }

  delete(key: string): Promise<void> {
    return this.#call('delete', key, store => store.delete(key))
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

  async #call<T>(
    operation: StoreCall['operation'],
    key: string,
    perform: (store: ObjectStore) => Promise<T>,
  ): Promise<T> {
    const { inner, clock, fault } = this.#options
    this.#calls++
    const found = fault({ number: this.#calls, operation, key })
    const where = { location: inner.location, key }
    const broken = { ...where, action: operation, reason: 'a fault was injected' }
    if (found === 'fail') throw storageErrors.WEIR_STORE_FAILED(broken)
    if (found === 'full') throw storageErrors.WEIR_STORE_FULL(where)
    if (typeof found === 'object') {
      await new Promise<void>(resolve => void clock.schedule(found.delayMs, resolve))
    }
    const result = await perform(inner)
    if (found === 'lose-answer') throw storageErrors.WEIR_STORE_FAILED(broken)
    return result
  }
}
