/** What `S3ObjectStore` asks of a client: each request is sent once, and rejects as S3 answered. */
import type { ObjectEntry } from '../object-store.ts'

export interface WriteOptions {
  /** Names this write: kept with the object. */
  readonly writer: string
  /** Refused with 412 where the key is taken. */
  readonly ifAbsent: boolean
}

/** One part of an upload. */
export interface UploadedPart {
  readonly number: number
  /** What the server called it. */
  readonly tag: string
}

export interface S3Page {
  readonly entries: readonly ObjectEntry[]
  /** Where the next page begins; absent on the last one. */
  readonly next: string | undefined
}

export interface S3Requests {
  put(key: string, body: Buffer, options: WriteOptions): Promise<void>
  /** `range` as in HTTP: `bytes=0-9`. */
  get(key: string, range: string | undefined): Promise<Buffer>
  /** Who wrote the object. */
  writerOf(key: string): Promise<string | undefined>
  list(prefix: string, from: string | undefined): Promise<S3Page>
  delete(key: string): Promise<void>
  /** Those that could not be deleted. */
  deleteMany(
    keys: readonly string[],
  ): Promise<readonly { readonly key: string; readonly reason: string }[]>
  beginUpload(key: string, writer: string): Promise<string>
  uploadPart(upload: S3Upload, number: number, body: Buffer): Promise<string>
  completeUpload(upload: S3Upload, parts: readonly UploadedPart[], ifAbsent: boolean): Promise<void>
  abortUpload(upload: S3Upload): Promise<void>
}

/** An upload in parts that was begun. */
export interface S3Upload {
  readonly key: string
  readonly id: string
}
