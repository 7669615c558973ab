/**
 * The job's folder in the store, as one attempt uses it: generations, completed checkpoints, and
 * what may be removed. It performs what `checkpoint/` decides.
 *
 * Owns        the attempt's generation record.
 * Leaves out  decisions, and the state files: the slots write them.
 *
 * Invariants
 *  W1  A generation of its own, above all before it, is taken before anything else is read; see
 *      `checkpoint/generation.ts`.
 *  W2  Nothing is removed of a checkpoint that is in the lineage, unless a decision names it.
 *  W3  Metadata goes first when a checkpoint is removed: what is half removed is no checkpoint.
 *  W4  A jobmanager that restarts its job takes no generation above that of a jobmanager which
 *      began after it, and none at all once a run of a higher number has begun (N5 of generations).
 */
import {
  checkpointIdOf,
  checkpointsPrefix,
  generationKey,
  METADATA_FILE,
  snapshotFolder,
} from '../../checkpoint/checkpoint-layout.ts'
import type { CheckpointMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { type CompletedCheckpoint, retain } from '../../checkpoint/completed-checkpoints.ts'
import type { SnapshotKind } from '../../checkpoint/coordinator-state.ts'
import {
  type FoundCheckpoint,
  type GenerationBase,
  type GenerationRecord,
  type Lineage,
  lineageOf,
  readGeneration,
  succeededBy,
  writeGeneration,
} from '../../checkpoint/generation.ts'
import { readMetadata, writeMetadata } from '../../checkpoint/metadata-text.ts'
import { assert, assertDefined } from '../../common/assert.ts'
import type { Clock } from '../../common/clock.ts'
import { isWeirError } from '../../common/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { clusterErrors } from '../cluster-errors.ts'
import { generationsIn } from '../generations-in.ts'

/** Records of attempts that are kept for people; only the newest that ran is needed. */
const GENERATIONS_KEPT = 10

/** The generations of one jobmanager: shared by its attempts. */
export interface GenerationClaim {
  /** See `GenerationRecord`. */
  readonly run: string
  /** The last one it tried to take, whatever the answer was; 0 before. */
  lastTried: number
  /** One of its attempts got to run: what was ordered before is obeyed or taken back. */
  isSettled: boolean
}

export interface JobStoreOptions {
  readonly store: ObjectStore
  readonly jobId: string
  readonly clock: Clock
  readonly claim: GenerationClaim
}

type Settlement = Omit<GenerationBase, 'reservedBefore'> & { readonly parallelism: number }

export class JobStore {
  readonly #store: ObjectStore
  readonly #jobId: string
  readonly #clock: Clock
  readonly #claim: GenerationClaim
  #record: GenerationRecord | undefined
  /** The write of the record that is under way: an older one must not land last. */
  #writing: Promise<void> | undefined

  constructor(options: JobStoreOptions) {
    this.#store = options.store
    this.#jobId = options.jobId
    this.#clock = options.clock
    this.#claim = options.claim
  }

  get generation(): number {
    return assertDefined(this.#record, 'W1: a generation was taken').generation
  }

  /** Where a snapshot of this job lies, as it is given to `--restore`. */
  pathOf(kind: SnapshotKind, id: number): string {
    return `${this.#store.location}/${snapshotFolder(this.#jobId, kind, id)}`
  }

  /** What earlier attempts left, without changing anything. */
  async look(): Promise<Lineage> {
    return this.#lineage(Number.POSITIVE_INFINITY)
  }

  /** Takes the next generation (W1), finds what earlier ones left. Throws WEIR_JOB_FENCED. */
  async begin(): Promise<Lineage> {
    const claim = this.#claim
    const isRestart = claim.lastTried > 0
    let generation = ((await this.#generations()).at(-1) ?? 0) + 1
    // Before it takes one: that alone would end a job that runs.
    this.#refuseNumbered(succeededBy(claim.run, await this.#records(generation)), generation)
    if (isRestart) this.#refuseSucceeded(generation - 1)
    for (;;) {
      claim.lastTried = generation
      if (await this.#take(generation)) break
      // Whoever took it first began after this jobmanager did (W4).
      if (isRestart) this.#refuseSucceeded(generation, generation - 1)
      generation++
    }
    const lineage = await this.#lineage(generation)
    this.#refuseNumbered(lineage.succeededBy, generation)
    return lineage
  }

  /** Says what this attempt goes on from, and at which parallelism; from now on it may run. */
  async settle(lineage: Lineage, { parallelism, ...base }: Settlement): Promise<void> {
    const reservedBefore = lineage.lastCheckpointId
    const change = { lastCheckpointId: reservedBefore, base: { ...base, reservedBefore } }
    await this.#update({ ...change, parallelism })
    this.#claim.isSettled = true
  }

  /**
   * Makes it durable that the next attempt has this parallelism, whoever makes it. Throws
   * WEIR_JOB_FENCED where a newer one began before, which may not know of it.
   */
  async noteParallelism(parallelism: number): Promise<void> {
    const before = this.#record?.parallelism ?? null
    try {
      await this.#update({ parallelism })
      const newer = await this.newerGeneration()
      if (newer !== undefined) this.#refuseSucceeded(newer, this.generation)
    } catch (error) {
      if (this.#record !== undefined) this.#record = { ...this.#record, parallelism: before }
      throw error
    }
  }

  /**
   * Makes it durable that the id is taken. Resolves to the newer generation that began before, or
   * to `undefined`: then none restores an older checkpoint without knowing of this id.
   */
  async reserveId(id: number): Promise<number | undefined> {
    assert(id > (this.#record?.lastCheckpointId ?? 0), 'C1: ids only grow')
    await this.#update({ lastCheckpointId: id })
    return this.newerGeneration()
  }

  /** The newest generation, when it is not this attempt's. */
  async newerGeneration(): Promise<number | undefined> {
    const newest = (await this.#generations()).at(-1) ?? 0
    return newest > this.generation ? newest : undefined
  }

  async writeMetadata(metadata: CheckpointMetadata): Promise<void> {
    const folder = snapshotFolder(this.#jobId, metadata.kind, metadata.checkpointId)
    await this.#store.put(`${folder}/${METADATA_FILE}`, writeMetadata(metadata))
  }

  /** Notes the savepoint that ends the job, once its metadata is stored. */
  async noteFinalSavepoint(id: number): Promise<void> {
    await this.#update({ savepoint: { id, path: this.pathOf('savepoint', id) } })
  }

  /** Removes a snapshot, whole or begun. */
  async remove(kind: SnapshotKind, id: number): Promise<void> {
    const folder = snapshotFolder(this.#jobId, kind, id)
    await this.#store.delete(`${folder}/${METADATA_FILE}`)
    const rest = await this.#store.list(`${folder}/`)
    await this.#store.deleteMany(rest.map(entry => entry.key))
  }

  /** Removes what earlier attempts never completed, and abandoned ones beyond `retained`. */
  async sweep(lineage: Lineage, retained: number): Promise<void> {
    // A newer attempt that did not see what this one goes on from may go on from something else:
    // from what is abandoned here. One that begins after this read knows (W2).
    if ((await this.newerGeneration()) !== undefined) return
    const history = this.#record?.base?.history ?? []
    const abandoned = lineage.abandoned.map((id): CompletedCheckpoint => ({ id, pinned: false }))
    const kept = new Set([
      ...[...lineage.completed, ...history].map(checkpoint => checkpoint.id),
      ...retain(abandoned, retained).kept.map(checkpoint => checkpoint.id),
      ...lineage.unreadable,
    ])
    const ids = new Set<number>()
    for (const { key } of await this.#store.list(checkpointsPrefix(this.#jobId))) {
      const id = checkpointIdOf(key)
      // What this attempt has begun meanwhile is its own matter.
      if (id !== undefined && !kept.has(id) && id <= lineage.lastCheckpointId) ids.add(id)
    }
    for (const id of ids) await this.remove('checkpoint', id)
    const old = (await this.#generations()).slice(0, -GENERATIONS_KEPT)
    await this.#store.deleteMany(old.map(generation => generationKey(this.#jobId, generation)))
  }

  async #update(change: Partial<GenerationRecord>): Promise<void> {
    const record = assertDefined(this.#record, 'W1: a generation was taken')
    const changed = { ...record, ...change }
    this.#record = changed
    const key = generationKey(this.#jobId, record.generation)
    const write = (): Promise<void> => this.#store.put(key, writeGeneration(changed))
    // That one failed is told to whoever asked for it; the next is tried all the same.
    const written = this.#writing?.then(write, write) ?? write()
    this.#writing = written
    try {
      await written
    } finally {
      if (this.#writing === written) this.#writing = undefined
    }
  }

  #refuseSucceeded(newest: number, own = this.#claim.lastTried): void {
    if (newest <= own) return
    throw clusterErrors.WEIR_JOB_FENCED({ jobId: this.#jobId, own, newer: newest })
  }

  #refuseNumbered(newer: number | undefined, own: number): void {
    if (newer !== undefined) throw clusterErrors.WEIR_JOB_FENCED({ jobId: this.#jobId, own, newer })
  }

  #take(generation: number): Promise<boolean> {
    const record: GenerationRecord = {
      formatVersion: 1,
      generation,
      run: this.#claim.run,
      startedAtMs: this.#clock.now(),
      lastCheckpointId: 0,
      base: null,
      savepoint: null,
      parallelism: null,
    }
    this.#record = record
    const key = generationKey(this.#jobId, generation)
    return this.#store.putIfAbsent(key, writeGeneration(record))
  }

  /** Of the attempts before this generation. */
  async #lineage(generation: number): Promise<Lineage> {
    const records = await this.#records(generation)
    return lineageOf({ run: this.#claim.run, records, found: await this.#findCompleted() })
  }

  async #records(generation: number): Promise<readonly GenerationRecord[]> {
    const records: GenerationRecord[] = []
    for (const older of await this.#generations()) {
      if (older >= generation) continue
      const record = await this.#recordOf(older)
      if (record !== undefined) records.push(record)
    }
    return records
  }

  /** `undefined` for a damaged one, and for one that somebody swept since it was listed. */
  async #recordOf(generation: number): Promise<GenerationRecord | undefined> {
    try {
      return readGeneration(await this.#store.get(generationKey(this.#jobId, generation)))
    } catch (error) {
      if (isWeirError(error) && error.code === 'WEIR_STORE_NOT_FOUND') return undefined
      throw error
    }
  }

  #generations(): Promise<readonly number[]> {
    return generationsIn(this.#store, this.#jobId)
  }

  async #findCompleted(): Promise<readonly FoundCheckpoint[]> {
    const found: FoundCheckpoint[] = []
    for (const { key } of await this.#store.list(checkpointsPrefix(this.#jobId))) {
      const id = checkpointIdOf(key)
      if (id === undefined || !key.endsWith(`/${METADATA_FILE}`)) continue
      const generation = await this.#generationOf(key)
      if (generation !== 'gone') found.push({ id, generation })
    }
    return found
  }

  async #generationOf(key: string): Promise<number | undefined | 'gone'> {
    const file = { path: key, previous: undefined }
    try {
      return readMetadata(await this.#store.get(key), file).generation
    } catch (error) {
      const code = isWeirError(error) ? error.code : ''
      // Removed since it was listed.
      if (code === 'WEIR_STORE_NOT_FOUND') return 'gone'
      // Unreadable is an answer, unreachable is none.
      if (code.startsWith('WEIR_CHECKPOINT_')) return undefined
      throw error
    }
  }
}

/** Reads the metadata in a folder of a store; `previous` is offered when it is damaged. */
export async function readSnapshot(
  store: ObjectStore,
  folder: string,
  previous: string | undefined,
): Promise<CheckpointMetadata> {
  const key = `${folder}/${METADATA_FILE}`
  return readMetadata(await store.get(key), { path: `${store.location}/${key}`, previous })
}
