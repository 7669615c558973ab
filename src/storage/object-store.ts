/**
 * The port of durable storage: objects under slash paths, in a folder or a bucket. Checkpoints,
 * savepoints and generations live here.
 *
 * Promises of every adapter, held by `test/contract/object-store.ts`:
 *  S1  An object is there whole or not at all, also after a crash in the middle of a write.
 *  S2  What `put` or `putIfAbsent` resolved for is still there after a power cut.
 *  S3  Of several `putIfAbsent` on one key exactly one resolves to true.
 *  S4  `list` shows every object whose write resolved before the call began.
 *  S5  Every call ends: it resolves, or rejects with a WEIR_STORE error that names the key.
 *
 * A rejected write may have happened: the answer can get lost. Who must know reads again.
 */
import type { StoreCounters } from './store-counters.ts'

/** An object's bytes: one piece, or several that are written one after the other. */
export type ObjectBytes = Uint8Array | readonly Uint8Array[]

export interface ObjectEntry {
  readonly key: string
  readonly sizeBytes: number
}

/** What is not safe with a store, and what to do about it. */
export interface StoreWarning {
  readonly message: string
  readonly next: string
}

export interface ObjectStore {
  /** Where it is, for people: a folder or a URL. Ends without a slash. */
  readonly location: string
  /** What opens it in another process; where absent its location does. */
  readonly address?: string
  /**
   * Writes or replaces an object. `free` is called when nobody reads the bytes any more, so that
   * their memory may be used again: after the write, perhaps long after, and never if it failed.
   */
  put(key: string, bytes: ObjectBytes, free?: () => void): Promise<void>
  /** Writes an object unless the key is taken; says whether it did. */
  putIfAbsent(key: string, bytes: ObjectBytes): Promise<boolean>
  /** Rejects with WEIR_STORE_NOT_FOUND. */
  get(key: string): Promise<Buffer>
  /** `length` bytes from `offset`; fewer where the object ends before. */
  getRange(key: string, offset: number, length: number): Promise<Buffer>
  /** The objects whose keys begin with the prefix, in the order of their keys. */
  list(prefix: string): Promise<readonly ObjectEntry[]>
  /** Removes an object; one that is not there is fine. */
  delete(key: string): Promise<void>
  /** Removes many; goes on after a failure and rejects with the first one. */
  deleteMany(keys: readonly string[]): Promise<void>
  /**
   * Called before a job starts: rejects when nothing can be written there, and says what is not
   * safe. A store without it is safe.
   */
  probe?(): Promise<readonly StoreWarning[]>
  /** Of a store that is reached over a network. */
  readonly counters?: StoreCounters
}
