/**
 * Generations: each attempt to run a job takes a number of its own by a conditional write, before
 * it reads or restores anything. Its record says what it went on from. So two JobManagers of one
 * job, or a paused one that wakes up, cannot both complete checkpoints:
 *
 * - An attempt takes its generation, and only then lists what is completed.
 * - An attempt stores a checkpoint's metadata (or reserves an id), and only then lists generations.
 *
 * Whoever comes second sees the other: either the newer attempt finds the older one's checkpoint
 * and restores it, or the older attempt finds the newer generation and stops. What an older attempt
 * stores in spite of that is no part of the lineage and is never restored as `latest`.
 *
 * A jobmanager that restarts its job goes on above its own generations only: one that finds a
 * generation of somebody else above them has been succeeded, and gives up. So of any number of
 * rivals the one that started last wins, however often the store fails them.
 *
 * Owns        the record, and which checkpoints are the past of the next attempt.
 * Leaves out  the store: the caller reads and writes.
 *
 * Invariants
 *  N1  The lineage is what the newest attempt restored from and kept, and what it completed itself.
 *  N2  Ids reserved by any attempt are never reserved again.
 *  N3  Once an attempt of a run may have run, every later attempt of that run goes on from the
 *      lineage: what was asked for at first holds for the first that gets to run only.
 *  N4  A parallelism that was ordered holds for every later attempt of its run.
 *  N5  Runs of one job may be numbered, `<job>/<number>`: once one has begun, none of a lower
 *      number begins again, however late its process was started.
 */
import { z } from 'zod'
import { assert } from '../common/assert.ts'
import type { CompletedCheckpoint } from './completed-checkpoints.ts'

export interface GenerationRecord {
  readonly formatVersion: 1
  readonly generation: number
  /** The start of the job that it belongs to: the same for jobmanagers put in another's place. */
  readonly run: string
  readonly startedAtMs: number
  /** The highest checkpoint id reserved by this or any older attempt. */
  readonly lastCheckpointId: number
  /** Where it went on from; `null` until that was decided: such an attempt changed nothing. */
  readonly base: GenerationBase | null
  /** With which it ended the job: that committed, so nothing goes on from before it. */
  readonly savepoint: FinalSavepoint | null
  /** At which the run goes on from here; `null` until that was decided. */
  readonly parallelism: number | null
}

export interface FinalSavepoint {
  readonly id: number
  readonly path: string
}

export interface GenerationBase {
  /** What was restored: a checkpoint's or savepoint's path; `null` for an empty start. */
  readonly restoredFrom: string | null
  /** The job's own completed checkpoints that are its past, oldest first. */
  readonly history: readonly CompletedCheckpoint[]
  /** Ids up to this one were reserved before: its own are higher. */
  readonly reservedBefore: number
}

/** A completed checkpoint in the job's folder. */
export interface FoundCheckpoint {
  readonly id: number
  /** `undefined` when its metadata cannot be read. */
  readonly generation: number | undefined
}

/** What a new attempt can go on from. */
export interface Lineage {
  /** Whether any attempt ever began to run. */
  readonly started: boolean
  /** Whether one of this run did, or one that began after it (N3). */
  readonly goesOn: boolean
  /** Likewise, of this run or one of its job with another number (N5). */
  readonly jobGoesOn: boolean
  /** The generation of a run with a higher number (N5). */
  readonly succeededBy: number | undefined
  /** Oldest first; the last is the latest. */
  readonly completed: readonly CompletedCheckpoint[]
  /** What to restore when nothing was completed since: the newest attempt's own base. */
  readonly restoredFrom: string | null
  /** Later than all that is completed. */
  readonly savepoint: FinalSavepoint | undefined
  /** Of the run that asks (N4); `undefined` before its first attempt. */
  readonly parallelism: number | undefined
  readonly lastCheckpointId: number
  /** Completed, but no past of the job: older runs, and what stale attempts left. Oldest first. */
  readonly abandoned: readonly number[]
  /** Not readable, and perhaps the latest of the newest attempt. */
  readonly unreadable: readonly number[]
}

export interface LineageParts {
  /** Of the attempt that asks. */
  readonly run: string
  readonly records: readonly GenerationRecord[]
  readonly found: readonly FoundCheckpoint[]
}

/** What is known before an attempt takes its own generation. */
export function lineageOf({ run, records, found }: LineageParts): Lineage {
  const newest = records
    .filter(record => record.base !== null)
    .reduce<GenerationRecord | undefined>(
      (best, record) => (best === undefined || record.generation > best.generation ? record : best),
      undefined,
    )
  const ids = found.map(checkpoint => checkpoint.id)
  const lastCheckpointId = Math.max(0, ...ids, ...records.map(r => r.lastCheckpointId))
  const completed = newest?.base ? past(newest.generation, newest.base, found) : unrecorded(found)
  const savepoint = newest?.savepoint ?? undefined
  const before = savepoint?.id ?? newest?.base?.reservedBefore ?? completed.at(-1)?.id ?? 0
  const doubtful = found.filter(c => c.generation === undefined && c.id > before)
  const unreadable = new Set(doubtful.map(checkpoint => checkpoint.id))
  const valid = new Set(completed.map(checkpoint => checkpoint.id))
  return {
    started: newest !== undefined || found.length > 0,
    goesOn: newest !== undefined && newest.generation >= firstOf(run, records),
    jobGoesOn: newest !== undefined && newest.generation >= firstOfJob(run, records),
    succeededBy: succeededBy(run, records),
    completed,
    restoredFrom: newest?.base?.restoredFrom ?? null,
    savepoint,
    parallelism: parallelismOf(run, records),
    lastCheckpointId,
    abandoned: ids.filter(id => !valid.has(id) && !unreadable.has(id)).sort(ascending),
    unreadable: [...unreadable].sort(ascending),
  }
}

/** The newest generation of a run of the same job with a higher number (N5). */
export function succeededBy(run: string, records: readonly GenerationRecord[]): number | undefined {
  const own = numbered(run)
  if (own === undefined) return undefined
  const later = records.filter(record => {
    const other = numbered(record.run)
    return other !== undefined && other.job === own.job && other.number > own.number
  })
  return later.length === 0 ? undefined : Math.max(...later.map(record => record.generation))
}

function numbered(run: string): { readonly job: string; readonly number: number } | undefined {
  const [, job, number] = /^(.+)\/(\d{1,15})$/.exec(run) ?? []
  return job === undefined ? undefined : { job, number: Number(number) }
}

/** Infinite before any attempt of the run took a generation. */
function firstOf(run: string, records: readonly GenerationRecord[]): number {
  const own = records.filter(record => record.run === run)
  return Math.min(Number.POSITIVE_INFINITY, ...own.map(record => record.generation))
}

function firstOfJob(run: string, records: readonly GenerationRecord[]): number {
  const job = numbered(run)?.job
  if (job === undefined) return firstOf(run, records)
  const own = records.filter(record => numbered(record.run)?.job === job)
  return Math.min(Number.POSITIVE_INFINITY, ...own.map(record => record.generation))
}

function parallelismOf(run: string, records: readonly GenerationRecord[]): number | undefined {
  const own = records.filter(record => record.run === run && record.parallelism !== null)
  return own.sort((a, b) => a.generation - b.generation).at(-1)?.parallelism ?? undefined
}

function past(
  generation: number,
  base: GenerationBase,
  found: readonly FoundCheckpoint[],
): readonly CompletedCheckpoint[] {
  const known = new Set(found.map(checkpoint => checkpoint.id))
  const own = found
    .filter(checkpoint => checkpoint.generation === generation)
    .map((checkpoint): CompletedCheckpoint => ({ id: checkpoint.id, pinned: false }))
  const inherited = base.history.filter(checkpoint => known.has(checkpoint.id))
  const all = [...inherited, ...own].sort((a, b) => a.id - b.id)
  assert(new Set(all.map(c => c.id)).size === all.length, 'N2: no id is used twice')
  return all
}

/** The records are gone: the completed checkpoints themselves are all there is to go by. */
function unrecorded(found: readonly FoundCheckpoint[]): readonly CompletedCheckpoint[] {
  return found
    .filter(checkpoint => checkpoint.generation !== undefined)
    .map(({ id }): CompletedCheckpoint => ({ id, pinned: false }))
    .sort((a, b) => a.id - b.id)
}

function ascending(a: number, b: number): number {
  return a - b
}

const recordSchema: z.ZodType<GenerationRecord> = z.object({
  formatVersion: z.literal(1),
  generation: z.int().min(1),
  run: z.string().default(''),
  startedAtMs: z.number(),
  lastCheckpointId: z.int().min(0),
  base: z
    .object({
      restoredFrom: z.string().nullable(),
      history: z.array(z.object({ id: z.int().min(1), pinned: z.boolean() })),
      reservedBefore: z.int().min(0),
    })
    .nullable(),
  savepoint: z
    .object({ id: z.int().min(1), path: z.string() })
    .nullable()
    .default(null),
  parallelism: z.int().min(1).nullable().default(null),
})

export function writeGeneration(record: GenerationRecord): Buffer {
  return Buffer.from(`${JSON.stringify(record, null, 2)}\n`)
}

/** The record, or `undefined` for a damaged one. */
export function readGeneration(bytes: Buffer): GenerationRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(bytes.toString()))
  } catch {
    return undefined
  }
}
