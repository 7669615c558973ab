/**
 * The words on the control connection between a taskmanager and the jobmanager of its job. Each is
 * one JSON text; `cluster/control/` frames them. Orders to a slot and its reports travel inside:
 * what they mean is the cluster's business, here only their frame is checked.
 *
 * A message that this Weir does not know is malformed: both ends are of one version, for the
 * handshake before the first message refuses another one.
 */
import { z } from 'zod'

const id = z.string().min(1).max(256)
const count = z.number().min(0)
const slot = z.int().min(0).max(32_767)

/** JSON has no infinities: `null` before the first watermark, `end` after the last. */
const watermark = z
  .union([z.number(), z.null(), z.literal('end')])
  .transform(value => (value === null ? -Infinity : value === 'end' ? Infinity : value))

/** An error as data; see `FailureReport` in the cluster. */
const failure = z.object({
  code: z.string().optional(),
  domain: z.enum(['user', 'external', 'internal']),
  message: z.string(),
  next: z.string().optional(),
  stack: z.string().optional(),
  retry: z.enum(['never', 'now', 'later']),
})

const operatorFigures = z.object({
  operatorId: z.string(),
  name: z.string(),
  kind: z.string(),
  metrics: z.object({
    recordsIn: count,
    recordsOut: count,
    lateRecordsDropped: count,
    recordsSkipped: count,
    deadLetters: count,
    currentWatermark: watermark,
  }),
})

const taskFigures = z.object({
  vertexId: z.string(),
  subtaskIndex: slot,
  recordsIn: count,
  recordsOut: count,
  watermark,
  busyMs: count,
  idleMs: count,
  backpressuredMs: count,
  lag: z.object({ records: count, ms: count }).optional(),
  operators: z.array(operatorFigures),
})

const networkFigures = z.object({
  bytesSent: count,
  bytesReceived: count,
  framesSent: count,
  framesReceived: count,
  edges: z.array(
    z.object({
      edge: z.string(),
      input: z
        .object({ queuedFrames: count, credits: count, usage: count, frameBytes: count })
        .nullable(),
      output: z
        .object({
          queuedFrames: count,
          queuedBytes: count,
          credits: count,
          usage: count,
          fullChannels: count,
        })
        .nullable(),
    }),
  ),
})

/** What a slot counts: of its running tasks, and of its process since that began. */
const slotFigures = z.object({
  tasks: z.array(taskFigures),
  counters: z.array(z.object({ operator: z.string(), metric: z.string(), count: z.number() })),
  residentBytes: count,
  cpuSeconds: count,
  network: networkFigures,
  /** What it asked of a store that is reached over a network. */
  storage: z
    .object({ requests: count, retries: count, writtenBytes: count, readBytes: count })
    .optional(),
})

export type SlotFigures = Readonly<z.output<typeof slotFigures>>

/** Carries an order or a report: more is known by its kind. */
const regionAttempt = { region: z.int().min(0), attempt: z.int().min(0) }
const carried = z.looseObject({ ...regionAttempt, kind: id })

export const toJobManagerSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('register'),
    slot,
    /** Names the process: another one has another, also under the same slot. */
    process: id,
    pid: z.int().positive(),
    host: z.string().max(256),
    /** Where other slots reach its data endpoint. */
    dataAddress: z.string().min(1).max(1024),
    /** Of the job's code that is loaded already. */
    digest: z.string().nullable(),
  }),
  /** The job is loaded and built; the digest proves that it is the same graph. */
  z.object({ kind: z.literal('prepared'), graphDigest: z.string() }),
  z.object({ kind: z.literal('unprepared'), failure }),
  z.object({ kind: z.literal('event'), event: carried.extend({ slot }) }),
  /** By the control thread; `blockedMs`: so long the thread of records has kept to itself. */
  z.object({ kind: z.literal('heartbeat'), blockedMs: count }),
  /** By the thread of records, as often as it comes to it. */
  z.object({ kind: z.literal('figures'), figures: slotFigures }),
  /** Nothing was heard for so long on the connection for data with another slot. */
  z.object({ kind: z.literal('unheard'), ...regionAttempt, peer: slot, silentMs: count }),
  /** It was told to end, and would like to after a checkpoint. */
  z.object({ kind: z.literal('leaving') }),
])

export const toTaskManagerSchema = z.discriminatedUnion('kind', [
  /** The first word after a registration that was accepted, for a slot of the job. */
  z.object({
    kind: z.literal('job'),
    jobId: id,
    name: z.string(),
    parallelism: z.int().positive(),
    maxParallelism: z.int().positive(),
    args: z.record(z.string(), z.string()),
    /** As the cluster's `JobSettings`. */
    settings: z.looseObject({}),
    /** `null`: the job keeps nothing. */
    storeLocation: z.string().nullable(),
    digest: z.string(),
    /** `null` when the taskmanager has this code already. */
    code: z.string().nullable(),
    sourceMap: z.string().nullable(),
    heartbeatIntervalMs: z.number().positive(),
    heartbeatTimeoutMs: z.number().positive(),
  }),
  /** The other first word: the job does not need this slot now. It may after a rescale. */
  z.object({ kind: z.literal('spare') }),
  z.object({ kind: z.literal('command'), command: carried }),
  z.object({ kind: z.literal('heartbeat') }),
  /** Followed by the end of the connection. */
  z.object({ kind: z.literal('refused'), failure }),
  /** Nothing is left to do here: the process may end. */
  z.object({ kind: z.literal('dismissed') }),
])

export type ToJobManager = z.output<typeof toJobManagerSchema>
export type ToTaskManager = z.output<typeof toTaskManagerSchema>
export type Registration = Extract<ToJobManager, { kind: 'register' }>
export type JobOrder = Extract<ToTaskManager, { kind: 'job' }>
/** As it is written: before `null` and `end` become infinities. */
export type ToJobManagerText = z.input<typeof toJobManagerSchema>
export type ToTaskManagerText = z.input<typeof toTaskManagerSchema>
export type WatermarkText = z.input<typeof watermark>
