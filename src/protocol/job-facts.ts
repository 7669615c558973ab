/**
 * What a jobmanager tells the controller: how its job is, and what became of an order. Fields may
 * be added: who reads an answer of a newer version leaves out what it does not know.
 */
import { z } from 'zod'

const count = () => z.int().min(0)
const text = (chars: number) => z.string().max(chars)
/** ms since the epoch, by the clock of who says it. */
const time = () => z.number().min(0)

/** Of a text of unknown length: the rest stands in the log. */
export const FACT_CHARS_MAX = 600

/** An order is named by who gives it, so that it can be given again and is carried out once. */
export const requestIdSchema = z
  .string()
  .regex(
    /^(?=.*-)[A-Za-z0-9-]{3,100}$/,
    'up to 100 letters, digits and hyphens, one hyphen at least',
  )

const errorFacts = z.object({
  code: text(64),
  message: z.string(),
  next: z.string(),
})

/** A snapshot that is whole. */
const snapshotFacts = z.object({
  id: count(),
  kind: z.enum(['checkpoint', 'savepoint']),
  path: text(1_024),
  completedAtMs: time(),
  sizeBytes: count(),
})

export const savepointFactsSchema = z.object({
  /** Of the request. */
  id: text(100),
  status: z.enum(['pending', 'completed', 'failed']),
  snapshot: snapshotFacts.nullable(),
  error: errorFacts.nullable(),
})

export const stopFactsSchema = z.object({
  id: text(100),
  /** `failed`: the job goes on. */
  status: z.enum(['pending', 'completed', 'failed']),
  /** The snapshot that it was stopped with; also one that completed although the stop failed. */
  snapshot: snapshotFacts.nullable(),
  error: errorFacts.nullable(),
})

/** The last four are ends. `warm`: all is ready, and the order to begin is waited for. */
export const jobStatuses = [
  'warm',
  'starting',
  'running',
  'restarting',
  'stopping',
  'finished',
  'stopped',
  'cancelled',
  'failed',
] as const

export const jobFactsSchema = z.object({
  /** `running`: every subtask of every vertex is. */
  status: z.enum(jobStatuses),
  parallelism: z.int().min(1),
  restarts: count(),
  lastFailure: z.object({ message: text(FACT_CHARS_MAX), atMs: time() }).nullable(),
  /** What it goes on from: the newest that completed, or the one that was restored. */
  latest: snapshotFacts.nullable(),
  checkpoints: z.object({
    /** Since the job was started or restarted last; of the newest 50. */
    completed: count(),
    /** So many failed one after the other, up to now. */
    failuresInRow: count(),
    lastFailure: text(FACT_CHARS_MAX).nullable(),
    /** Since the newest completed; `null`: none did under this jobmanager. */
    ageMs: z.number().min(0).nullable(),
  }),
  /** The last order to stop that had a name. */
  stop: stopFactsSchema.nullable(),
})

export type SnapshotFacts = Readonly<z.output<typeof snapshotFacts>>
export type SavepointFacts = Readonly<z.output<typeof savepointFactsSchema>>
export type StopFacts = Readonly<z.output<typeof stopFactsSchema>>
export type JobFacts = Readonly<z.output<typeof jobFactsSchema>>
