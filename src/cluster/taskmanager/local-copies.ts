/**
 * Copies of the state files that this slot wrote, in a folder of its own: a restart of the job
 * reads them instead of fetching them from the store again.
 *
 * Owns        the folder. Another process of the same slot may use it too, one at a time.
 * Leaves out  whether a copy is right: its reader checks every section (`restore-reader.ts`).
 *
 * Invariants
 *  LC1  A copy is never needed: whatever is wrong with it, the store has the state.
 *  LC2  A copy never holds up a snapshot: it is written after the store has it.
 *  LC3  Copies of checkpoints before the newest completed one are removed.
 *  LC4  A restore right after a snapshot waits for its copy: the disk is nearer than the store.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkpointIdOf } from '../../checkpoint/checkpoint-layout.ts'
import type { Logger } from '../../common/logger.ts'
import type { ObjectBytes, ObjectStore } from '../../storage/object-store.ts'
import { writePieces } from '../../storage/write-pieces.ts'

export interface LocalCopiesOptions {
  /** Of this slot alone. */
  readonly folder: string
  readonly logger: Logger
}

export interface CopyRange {
  readonly location: string
  readonly key: string
  readonly offset: number
  readonly length: number
}

export class LocalCopies {
  readonly #options: LocalCopiesOptions
  /** One after the other: the disk has snapshots to write, too. */
  #work: Promise<void> = Promise.resolve()
  /** By path: copies that are to be written. */
  readonly #pending = new Map<string, Promise<void>>()
  #completedId = 0
  #drafts = 0

  constructor(options: LocalCopiesOptions) {
    this.#options = options
  }

  /** The same store, with copies of the checkpoint files that are put there. */
  over(store: ObjectStore): ObjectStore {
    return {
      location: store.location,
      put: async (key, bytes, free) => {
        await store.put(key, bytes)
        void this.#keep(store.location, key, bytes).then(free)
      },
      putIfAbsent: (key, bytes) => store.putIfAbsent(key, bytes),
      get: key => store.get(key),
      getRange: (key, offset, length) => store.getRange(key, offset, length),
      list: prefix => store.list(prefix),
      delete: key => store.delete(key),
      deleteMany: keys => store.deleteMany(keys),
    }
  }

  /** The bytes, if there is a copy that has them. */
  async read({ location, key, offset, length }: CopyRange): Promise<Buffer | undefined> {
    const path = this.#pathOf(location, key)
    await this.#pending.get(path)
    try {
      const file = await open(path, 'r')
      try {
        const buffer = Buffer.allocUnsafeSlow(length)
        let filled = 0
        while (filled < length) {
          const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled)
          if (bytesRead === 0) return undefined
          filled += bytesRead
        }
        return buffer
      } finally {
        await file.close()
      }
    } catch {
      return undefined
    }
  }

  /** What it says is not what was written. */
  drop(location: string, key: string): void {
    this.#options.logger.warn({ key }, 'a local copy of state is damaged')
    void this.#do(() => rm(this.#pathOf(location, key), { force: true }))
  }

  completed(checkpointId: number): void {
    if (checkpointId <= this.#completedId) return
    this.#completedId = checkpointId
    void this.#do(() => this.#removeWhere(id => id < this.#completedId))
  }

  aborted(checkpointId: number): void {
    void this.#do(() => this.#removeWhere(id => id === checkpointId))
  }

  /** Resolves when everything begun is done. */
  async settled(): Promise<void> {
    await this.#work
  }

  /** Resolves when the bytes are no longer needed. */
  async #keep(location: string, key: string, bytes: ObjectBytes): Promise<void> {
    const id = checkpointIdOf(key)
    if (id === undefined) return
    const path = this.#pathOf(location, key)
    const kept = this.#do(async () => {
      // It was overtaken while it waited.
      if (id < this.#completedId) return
      this.#drafts++
      const draft = `${path}.${this.#drafts}.draft`
      await mkdir(dirname(path), { recursive: true })
      await writeDraft(draft, bytes)
      await rename(draft, path)
    })
    this.#pending.set(path, kept)
    await kept
    if (this.#pending.get(path) === kept) this.#pending.delete(path)
  }

  async #removeWhere(isOver: (id: number) => boolean): Promise<void> {
    const { folder } = this.#options
    for (const place of await namesIn(folder)) {
      for (const job of await namesIn(join(folder, place))) {
        for (const name of await namesIn(join(folder, place, job))) {
          const id = checkpointIdOf(`/${name}/`)
          if (id === undefined || !isOver(id)) continue
          await rm(join(folder, place, job, name), { recursive: true, force: true })
        }
      }
    }
  }

  /** LC1: nothing but a line in the log comes of a failure. */
  #do(action: () => Promise<unknown>): Promise<void> {
    this.#work = this.#work.then(action).then(
      () => undefined,
      (error: unknown) => {
        this.#options.logger.warn({ err: error }, 'local copies of state cannot be kept')
      },
    )
    return this.#work
  }

  /** Two stores may have checkpoints of the same number. */
  #pathOf(location: string, key: string): string {
    const place = createHash('sha256').update(location).digest('hex').slice(0, 16)
    return join(this.#options.folder, place, ...key.split('/'))
  }
}

async function writeDraft(path: string, bytes: ObjectBytes): Promise<void> {
  const file = await open(path, 'w')
  try {
    await writePieces(file, bytes)
  } finally {
    await file.close()
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => [])
}
