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

const upgrade = z.strictObject({
  phase: z.enum([
    'Planning',
    'Reserving',
    'Savepointing',
    'Stopping',
    'Starting',
    'Verifying',
    'RollingBack',
  ]),
  from: statusText(253),
  to: statusText(253),
  cause: statusText(64),
  attempt: count(),
  startedAt: timeField(),
  savepoint: statusText(1024).optional(),
})

export const streamJobStatusSchema = z.strictObject({
  phase: z.enum(jobPhases).optional(),
  observedGeneration: count().optional(),
  /** Number of the deployment: raised before any pod of it exists. */
  epoch: count().optional(),
  /** Number of the jobmanager within its epoch. */
  attempt: count().optional(),
  tenant: statusText(63).optional(),
  jobDigest: statusText(80).optional(),
  conditions: conditionsField(),
  revision: revision.optional(),
  state: statePointer.optional(),
  /** While an upgrade runs. */
  upgrade: upgrade.optional(),
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
