/**
 * The object store in a bucket of S3, or of a server that speaks like it. An object is visible
 * whole or not at all (S1); what is larger than a part goes up in parts, and becomes visible when
 * the last request completes it.
 *
 * Owns        retries, and telling a lost answer from a lost race.
 * Leaves out  HTTP and credentials: the SDK, behind `s3-requests.ts`.
 *
 * A conditional write whose answer was lost is refused when it is sent again. So each write carries
 * a name of its own, and who is refused after a retry looks whether the object is its own (S3).
 */
import type { Clock } from '../../common/clock.ts'
import type { Random } from '../../common/random.ts'
import { checkObjectKey } from '../object-key.ts'
import type { ObjectBytes, ObjectEntry, ObjectStore, StoreWarning } from '../object-store.ts'
import { storageErrors } from '../storage-errors.ts'
import type { StoreCounters } from '../store-counters.ts'
import type { FailedCall } from '../store-failure.ts'
import { type Outcome, type Patience, Retries } from './retries.ts'
import { isRefusedCondition, nameOf, s3Failure, statusOf } from './s3-failure.ts'
import { parseS3Location, type S3Location } from './s3-location.ts'
import type { S3Requests, S3Upload, UploadedPart } from './s3-requests.ts'

/** What is larger goes up in parts of this size. */
const PART_BYTES = 16 * 1024 * 1024
const PARTS_IN_FLIGHT = 4
/** The most that one request may delete. */
const DELETE_BATCH = 1_000

export interface S3ObjectStoreOptions {
  /** `s3://bucket/prefix?endpoint=...`. */
  readonly location: string
  readonly random: Random
  readonly clock: Clock
  /** Default 16 MiB; S3 takes none below 5 MiB. */
  readonly partBytes?: number
  /** For tests: the requests, instead of those of the SDK. */
  readonly requests?: S3Requests
}

type Action = FailedCall['action']

/** A write on its way. */
interface Write {
  readonly key: string
  readonly body: Buffer
  readonly writer: string
  readonly ifAbsent: boolean
}

export class S3ObjectStore implements ObjectStore {
  readonly location: string
  readonly address: string
  readonly #place: S3Location
  readonly #random: Random
  readonly #retries: Retries
  readonly #partBytes: number
  #requests: Promise<S3Requests> | undefined
  #conditions: Promise<boolean> | undefined
  #counts = { requests: 0, writtenBytes: 0, readBytes: 0 }

  /** Throws WEIR_STORE_LOCATION_INVALID. */
  constructor(options: S3ObjectStoreOptions) {
    const { location, random, clock, partBytes = PART_BYTES, requests } = options
    this.#place = parseS3Location(location)
    this.location = `s3://${this.#place.bucket}/${this.#place.prefix}`.replace(/\/$/, '')
    const [, query] = location.split('?', 2)
    this.address = query === undefined ? this.location : `${this.location}?${query}`
    this.#random = random
    this.#retries = new Retries({ clock, random })
    this.#partBytes = partBytes
    this.#requests = requests === undefined ? undefined : Promise.resolve(requests)
  }

  get counters(): StoreCounters {
    return { ...this.#counts, retries: this.#retries.count }
  }

  async put(key: string, bytes: ObjectBytes, free?: () => void): Promise<void> {
    await this.#write(key, bytes, false)
    free?.()
  }

  async putIfAbsent(key: string, bytes: ObjectBytes): Promise<boolean> {
    const isConditional = await this.#knowsConditions()
    // Without conditions the look and the write are two requests, with room for another in between.
    if (!isConditional && (await this.#writerOf(key)) !== undefined) return false
    return this.#write(key, bytes, isConditional)
  }

  get(key: string): Promise<Buffer> {
    return this.#read(key, undefined)
  }

  async getRange(key: string, offset: number, length: number): Promise<Buffer> {
    // HTTP has no empty range.
    const wanted = Math.max(1, length)
    const bytes = await this.#read(key, `bytes=${offset}-${offset + wanted - 1}`)
    return bytes.subarray(0, length)
  }

  async list(prefix: string): Promise<readonly ObjectEntry[]> {
    const found: ObjectEntry[] = []
    const own = this.#place.prefix
    let from: string | undefined
    do {
      const start = from
      const page = await this.#call('list', prefix, s3 => s3.list(own + prefix, start))
      for (const { key, sizeBytes } of page.entries) {
        found.push({ key: key.slice(own.length), sizeBytes })
      }
      from = page.next
    } while (from !== undefined)
    return found.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  async delete(key: string): Promise<void> {
    await this.#call('delete', key, s3 => s3.delete(this.#pathOf(key)))
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    let failure: unknown
    for (let at = 0; at < keys.length; at += DELETE_BATCH) {
      const batch = keys.slice(at, at + DELETE_BATCH)
      await this.#deleteBatch(batch).catch((error: unknown) => {
        failure ??= error
      })
    }
    if (failure !== undefined) throw failure
  }

  async probe(): Promise<readonly StoreWarning[]> {
    if (await this.#knowsConditions()) return []
    return [
      {
        message:
          `${this.location} is on a server without conditional writes: two runs of the same job ` +
          'at the same time would not see each other, and could destroy its checkpoints',
        next:
          'see that a job is never started twice, or use a server that answers If-None-Match ' +
          '(AWS S3, versitygw, Ceph, R2)',
      },
    ]
  }

  /**
   * Whether the server keeps conditions; asked once, by each process that depends on it. Where it
   * cannot be asked the next call asks again.
   */
  #knowsConditions(): Promise<boolean> {
    this.#conditions ??= this.#tryConditions().catch((error: unknown) => {
      this.#conditions = undefined
      throw error
    })
    return this.#conditions
  }

  /** Writes, writes again on condition that the key is free, and removes what it wrote. */
  async #tryConditions(): Promise<boolean> {
    const key = `probe/${this.#random.uuid()}`
    const path = this.#pathOf(key)
    const body = Buffer.from('weir looks whether it can write here\n')
    const first = await this.#try(
      s3 => s3.put(path, body, { ifAbsent: false, writer: 'a' }),
      'short',
    )
    if (first.kind === 'failed') throw this.#failure('write', key, first)
    const again = await this.#try(s3 => s3.put(path, body, { ifAbsent: true, writer: 'b' }))
    await this.delete(key)
    if (again.kind === 'done') return false
    if (isRefusedCondition(again.error)) return true
    const isUnknown = statusOf(again.error) === 501 || statusOf(again.error) === 400
    if (!isUnknown) throw this.#failure('write', key, again)
    return false
  }

  #pathOf(key: string): string {
    checkObjectKey(key)
    return this.#place.prefix + key
  }

  async #write(name: string, bytes: ObjectBytes, ifAbsent: boolean): Promise<boolean> {
    const key = this.#pathOf(name)
    const body = bytes instanceof Uint8Array ? bufferOf(bytes) : Buffer.concat(bytes)
    const write: Write = { key, body, writer: this.#random.uuid(), ifAbsent }
    const isWhole = body.length <= this.#partBytes
    const outcome = await (isWhole ? this.#putWhole(write) : this.#putParts(name, write))
    if (outcome.kind === 'failed') {
      if (!this.#isDoubtful(outcome, ifAbsent)) throw this.#failure('write', name, outcome)
      const isOwn = (await this.#writerOf(name)) === write.writer
      if (!isOwn && !isRefusedCondition(outcome.error)) throw this.#failure('write', name, outcome)
      if (!isOwn) return false
    }
    this.#counts.writtenBytes += body.length
    return true
  }

  /** Refused, or the upload is gone: perhaps since an earlier try of this write went through. */
  #isDoubtful({ error, tries }: { error: unknown; tries: number }, ifAbsent: boolean): boolean {
    if (isRefusedCondition(error)) return ifAbsent
    return nameOf(error) === 'NoSuchUpload' && tries > 1
  }

  #putWhole({ key, body, writer, ifAbsent }: Write): Promise<Outcome<void>> {
    return this.#try(s3 => s3.put(key, body, { writer, ifAbsent }))
  }

  async #putParts(name: string, write: Write): Promise<Outcome<void>> {
    const { key, writer, ifAbsent } = write
    const id = await this.#call('write', name, s3 => s3.beginUpload(key, writer))
    const upload = { key, id }
    let isWhole = false
    try {
      const parts = await this.#sendParts(name, upload, write.body)
      const outcome = await this.#try(s3 => s3.completeUpload(upload, parts, ifAbsent))
      isWhole = outcome.kind === 'done'
      return outcome
    } finally {
      // Parts that nobody completes cost money until a lifecycle rule removes them.
      if (!isWhole) await this.#try(s3 => s3.abortUpload(upload))
    }
  }

  async #sendParts(name: string, upload: S3Upload, body: Buffer): Promise<UploadedPart[]> {
    const count = Math.ceil(body.length / this.#partBytes)
    const parts: UploadedPart[] = new Array(count)
    let next = 0
    const lane = async (): Promise<void> => {
      while (next < count) {
        const at = next++
        const piece = body.subarray(at * this.#partBytes, (at + 1) * this.#partBytes)
        const send = (s3: S3Requests): Promise<string> => s3.uploadPart(upload, at + 1, piece)
        parts[at] = { number: at + 1, tag: await this.#call('write', name, send) }
      }
    }
    const lanes = Array.from({ length: PARTS_IN_FLIGHT }, lane)
    // All must have ended before the upload is aborted: a late part would stay.
    const failed = (await Promise.allSettled(lanes)).find(one => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return parts
  }

  /** `undefined`: there is no such object. */
  async #writerOf(name: string): Promise<string | undefined> {
    const key = this.#pathOf(name)
    const outcome = await this.#try(s3 => s3.writerOf(key))
    if (outcome.kind === 'done') return outcome.result ?? ''
    if (statusOf(outcome.error) === 404) return undefined
    throw this.#failure('read', name, outcome)
  }

  async #read(name: string, range: string | undefined): Promise<Buffer> {
    const key = this.#pathOf(name)
    const outcome = await this.#try(s3 => s3.get(key, range))
    if (outcome.kind === 'failed') {
      if (statusOf(outcome.error) === 416) return Buffer.alloc(0)
      throw this.#failure('read', name, outcome)
    }
    this.#counts.readBytes += outcome.result.length
    return outcome.result
  }

  async #deleteBatch(keys: readonly string[]): Promise<void> {
    const paths = keys.map(key => this.#pathOf(key))
    const [failed] = await this.#call('delete', keys[0] ?? '', s3 => s3.deleteMany(paths))
    if (failed === undefined) return
    const key = failed.key.slice(this.#place.prefix.length)
    const { reason } = failed
    const { location } = this
    throw storageErrors.WEIR_STORE_FAILED({ location, key, action: 'delete', reason })
  }

  async #call<T>(action: Action, key: string, send: (s3: S3Requests) => Promise<T>): Promise<T> {
    const outcome = await this.#try(send)
    if (outcome.kind === 'done') return outcome.result
    throw this.#failure(action, key, outcome)
  }

  async #try<T>(send: (s3: S3Requests) => Promise<T>, patience?: Patience): Promise<Outcome<T>> {
    this.#requests ??= openRequests(this.#place)
    const s3 = await this.#requests
    return this.#retries.run(() => {
      this.#counts.requests++
      return send(s3)
    }, patience)
  }

  #failure(action: Action, key: string, failed: { error: unknown; tries: number }): Error {
    const { endpoint = 'AWS_ENDPOINT_URL_S3, or AWS' } = this.#place
    const call = { action, location: this.location, key, endpoint }
    return s3Failure(call, failed.error, failed.tries)
  }
}

/** The SDK takes time and memory: who has no S3 never loads it. */
async function openRequests(place: S3Location): Promise<S3Requests> {
  const { S3SdkRequests } = await import('./s3-sdk-requests.ts')
  return S3SdkRequests.open(place)
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
