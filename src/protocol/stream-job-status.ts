/**
 * The status of a StreamJob: last facts only, no history, at most 16 kB. The controller alone
 * writes it; `state` is the state pointer, which the API server lets go forward only.
 */
import { z } from 'zod'
import { integerField } from './manifest-fields.ts'
import { conditionsField, statusText, timeField } from './status-fields.ts'

const jobPhases = [
  'Queued',
  'Deploying',
  'Running',
  'Suspending',
  'Suspended',
  'Parked',
  'Upgrading',
  'RollingBack',
  'Finished',
  'Failed',
  'Deleting',
] as const

export type JobPhase = (typeof jobPhases)[number]

const count = () => integerField(0)

const statePointer = z.strictObject({
  epoch: count(),
  checkpointId: count(),
  kind: z.enum(['checkpoint', 'savepoint']),
  path: statusText(1024),
  completedAt: timeField(),
  sizeBytes: count(),
})

const revision = z.strictObject({
  current: statusText(253).optional(),
  stable: statusText(253).optional(),
  target: statusText(253).optional(),
})

const upgradePhases = [
  'Planning',
  'Reserving',
  'Savepointing',
  'Stopping',
  'Starting',
  'Verifying',
  'RollingBack',
] as const

export type UpgradePhase = (typeof upgradePhases)[number]

const upgrade = z.strictObject({
  phase: z.enum(upgradePhases),
  /** `suspend` ends without pods, `resume` begins without. */
  goal: z.enum(['upgrade', 'suspend', 'resume']),
  from: statusText(253),
  to: statusText(253),
  cause: statusText(64),
  /** With which state it goes on: as asked for, or what was left of that. */
  mode: z.enum(['savepoint', 'last-state', 'stateless', 'restore']),
  /** Of the pod that plans. */
  attempt: count(),
  startedAt: timeField(),
  /** Begin of the phase. */
  since: timeField(),
  /** Names the order to stop: the jobmanager carries it out once. */
  request: statusText(100).optional(),
  /** The newest snapshot that was known when the job was stopped. */
  savepoint: statusText(1024).optional(),
  /** With `restore`: what it begins from. */
  restoring: statusText(1024).optional(),
  /** The savepoint that the order has taken: known as a Savepoint before the next epoch begins. */
  taken: statusText(1024).optional(),
  stoppedAt: timeField().optional(),
  /** The epoch of pods that start before the job is stopped, and begin once it has. */
  warm: count().optional(),
  /** The job has said that it is over: none of its processes begins again. */
  hasEnded: z.boolean().optional(),
  /** Begin of `Starting`: the deadline counts from here. */
  startingAt: timeField().optional(),
  /** Why it goes back. */
  rollback: statusText(64).optional(),
})

/** A revision that is not tried again. */
const refused = z.strictObject({
  revision: statusText(253),
  reason: statusText(64),
  message: statusText(1024),
  /** Of the spec that it was refused for. */
  generation: count(),
})

/** What the pods of the epoch begin with. */
const start = z.strictObject({
  from: z.enum(['manifest', 'continue', 'latest', 'empty', 'path']),
  path: statusText(1024).optional(),
  /** Whose it is, where that is another job: `namespace.name`. */
  fromJob: statusText(253).optional(),
})

export const streamJobStatusSchema = z.strictObject({
  phase: z.enum(jobPhases).optional(),
  observedGeneration: count().optional(),
  /** Number of the deployment: raised before any pod of it exists. */
  epoch: count().optional(),
  /** Epochs that were numbered: pods that were warm and came to nothing had one, too. */
  epochs: count().optional(),
  /** Number of the jobmanager within its epoch. */
  attempt: count().optional(),
  tenant: statusText(63).optional(),
  jobDigest: statusText(80).optional(),
  conditions: conditionsField(),
  revision: revision.optional(),
  state: statePointer.optional(),
  /** While an upgrade runs. */
  upgrade: upgrade.optional(),
  refused: refused.optional(),
  /** Orders to stop that were named. */
  orders: count().optional(),
  start: start.optional(),
  slots: z.strictObject({ desired: count(), ready: count() }).optional(),
  /** Of the slots' pods, for the scale subresource. */
  selector: statusText(512).optional(),
  /** What its pods may take together: counted against the quota before any of them exists. */
  reserved: z
    .strictObject({ slots: count(), cpu: statusText(32), memory: statusText(32) })
    .optional(),
  /** While the job is not admitted. */
  queue: z
    .strictObject({
      position: count(),
      reason: statusText(64),
      shortfall: statusText(512).optional(),
      since: timeField(),
    })
    .optional(),
  checkpoint: z
    .strictObject({
      id: count().optional(),
      completedAt: timeField().optional(),
      failuresInRow: count().optional(),
    })
    .optional(),
  restarts: z
    .strictObject({
      count: count(),
      lastReason: statusText(1024).optional(),
      nextAt: timeField().optional(),
    })
    .optional(),
  /** The nonces that were acted on. */
  nonces: z
    .strictObject({
      restart: count().optional(),
      savepoint: count().optional(),
      restore: count().optional(),
    })
    .optional(),
  autoscaler: z
    .strictObject({ recommended: count(), reason: statusText(512), at: timeField() })
    .optional(),
  /** The words of the dashboard and of `weir doctor`. */
  verdicts: z
    .array(
      z.strictObject({
        cause: statusText(253),
        evidence: statusText(512),
        remedy: statusText(512),
      }),
    )
    .max(5)
    .optional(),
})

export type StreamJobStatus = z.output<typeof streamJobStatusSchema>

export type JobStart = z.output<typeof start>
