/**
 * The object store of a simulation: one disk, and a client in each process. A call takes effect
 * some time after it was made and is answered some time after that; its caller may die in between,
 * and then a write is lost or happens all the same. A rejected write happened, or never will.
 */

import type { ObjectBytes, ObjectEntry, ObjectStore } from '../../storage/object-store.ts'
import { storageErrors } from '../../storage/storage-errors.ts'
import type { Scheduler, SimProcess } from './scheduler.ts'

export interface StoreFaults {
  /** Probabilities of a call. */
  readonly fail: number
  readonly loseAnswer: number
  readonly slow: number
  /** Then the disk works: that a job ends is promised only to those whose store does. */
  readonly untilMs: number
  /** From and to: every call fails. */
  readonly outages: readonly (readonly [fromMs: number, toMs: number])[]
}

/** What lies in the store; told of every change. */
export class SimDisk {
  readonly objects = new Map<string, Buffer>()
  /** Until then every call takes long. */
  slowUntilMs = 0
  readonly #onPut: (key: string, bytes: Buffer) => void
  readonly #onDelete: (key: string) => void

  constructor(onPut: (key: string, bytes: Buffer) => void, onDelete: (key: string) => void) {
    this.#onPut = onPut
    this.#onDelete = onDelete
  }

  put(key: string, bytes: Buffer): void {
    this.objects.set(key, bytes)
    this.#onPut(key, bytes)
  }

  delete(key: string): void {
    if (this.objects.delete(key)) this.#onDelete(key)
  }
}

export interface SimStoreOptions {
  readonly scheduler: Scheduler
  readonly process: SimProcess
  readonly disk: SimDisk
  readonly faults: StoreFaults
}

const LATENCY_MS = 1.5
const SLOW_MS = 60

export class SimStore implements ObjectStore {
  readonly location = 'sim'
  readonly #options: SimStoreOptions

  constructor(options: SimStoreOptions) {
    this.#options = options
  }

  put(key: string, bytes: ObjectBytes): Promise<void> {
    const copy = copyOf(bytes)
    return this.#call('put', key, () => this.#options.disk.put(key, copy))
  }

  putIfAbsent(key: string, bytes: ObjectBytes): Promise<boolean> {
    const { disk } = this.#options
    const copy = copyOf(bytes)
    return this.#call('putIfAbsent', key, () => {
      if (disk.objects.has(key)) return false
      disk.put(key, copy)
      return true
    })
  }

  get(key: string): Promise<Buffer> {
    return this.#call('get', key, () => Buffer.from(this.#find(key)))
  }

  getRange(key: string, offset: number, length: number): Promise<Buffer> {
    return this.#call('getRange', key, () =>
      Buffer.from(this.#find(key).subarray(offset, offset + length)),
    )
  }

  list(prefix: string): Promise<readonly ObjectEntry[]> {
    return this.#call('list', prefix, () =>
      [...this.#options.disk.objects]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, bytes]) => ({ key, sizeBytes: bytes.length }))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    )
  }

  delete(key: string): Promise<void> {
    return this.#call('delete', key, () => this.#options.disk.delete(key))
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

  #find(key: string): Buffer {
    const found = this.#options.disk.objects.get(key)
    if (found !== undefined) return found
    throw storageErrors.WEIR_STORE_NOT_FOUND({ location: this.location, key })
  }

  #call<T>(action: string, key: string, effect: () => T): Promise<T> {
    const { scheduler, process, faults, disk } = this.#options
    const details = { location: this.location, key, action, reason: 'the disk says no' }
    const failure = (): Error => storageErrors.WEIR_STORE_FAILED(details)
    const isSlow = scheduler.chance(faults.slow) || scheduler.nowMs < disk.slowUntilMs
    const latencyMs = isSlow ? SLOW_MS : LATENCY_MS
    const { nowMs } = scheduler
    const isFaulty = nowMs < faults.untilMs
    const isOut = faults.outages.some(([fromMs, toMs]) => fromMs <= nowMs && nowMs < toMs)
    const fails = (isFaulty && scheduler.chance(faults.fail)) || isOut
    const losesAnswer = isFaulty && scheduler.chance(faults.loseAnswer)
    return new Promise((resolve, reject) => {
      if (process.state === 'dead') return
      const answer = (say: () => void): void =>
        void scheduler.after(scheduler.between(0.05, latencyMs), process, say)
      scheduler.after(scheduler.between(0.05, latencyMs), undefined, () => {
        if (process.state === 'dead' && scheduler.chance(0.5)) return
        if (fails) {
          scheduler.note(process, `${action} ${key} fails`)
          answer(() => reject(failure()))
          return
        }
        try {
          const result = effect()
          if (action !== 'list' && !action.startsWith('get')) {
            const how = losesAnswer ? ', the answer is lost' : ''
            const late = process.state === 'alive' ? '' : ` (${process.state})`
            scheduler.note(process, `${action} ${key}${late}${how}`)
          }
          answer(() => (losesAnswer ? reject(failure()) : resolve(result)))
        } catch (error) {
          answer(() => reject(error as Error))
        }
      })
    })
  }
}

function copyOf(bytes: ObjectBytes): Buffer {
  return bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat(bytes)
}
