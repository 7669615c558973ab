/** One pass over the Savepoints that a job asks for by itself: by its nonce and its schedule. */
import type { Clock } from '../../common/clock.ts'
import { type StreamJobSpec, streamJobSpecSchema } from '../../protocol/stream-job.ts'
import type { Watched } from '../kube/kind-watcher.ts'
import { keyOf } from '../kube/kube-object.ts'
import { statusPatch } from '../kube/status-patch.ts'
import type { Reconcile } from '../kube/work-loop.ts'
import { labels, labelsOf } from '../streamjob/job-names.ts'
import { metadataOf } from '../streamjob/job-objects.ts'
import type { JobWorld } from '../streamjob/job-world.ts'
import type { StreamJobObject } from '../streamjob/stream-job-object.ts'
import {
  decideSavepoints,
  type MadeSavepoint,
  type StopSavepoint,
  type WantedSavepoint,
} from './job-savepoints.ts'
import { SAVEPOINT_MANAGER } from './reconcile-savepoint.ts'
import type { SavepointObject } from './savepoint-object.ts'
import { takenOf } from './savepoint-objects.ts'

export interface ReconcileJobSavepointsOptions {
  readonly world: JobWorld
  readonly savepoints: Watched<SavepointObject>
  readonly clock: Clock
}

export function reconcileJobSavepoints(options: ReconcileJobSavepointsOptions): Reconcile {
  const { world, savepoints, clock } = options
  return async (key, signal) => {
    const job = world.jobs.cache.get(key)
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return undefined
    const { name, namespace = '' } = job.metadata
    const all = savepoints.cache.group(namespace)
    const own = all.filter(({ metadata }) => metadata.labels?.[labels.job] === name)
    const stops = own.flatMap(one => stopOf(one) ?? [])
    if (stops.length === 0 && !asksForAny(job)) return undefined
    const spec = streamJobSpecSchema.safeParse(job.spec).data
    if (spec === undefined) return undefined
    const made = own.flatMap(one => madeBy(one) ?? [])
    const runs = job.status?.phase === 'Running' && isRunning(job)
    const decision = decideSavepoints({ job, spec, made, stops, runs, nowMs: clock.now() })
    for (const wanted of decision.take) {
      await savepoints.create(savepointOf(job, wanted), signal)
    }
    if (decision.nonce !== undefined) await storeNonce(job, decision.nonce, options)
    for (const one of decision.expire) await savepoints.remove(one, undefined, signal)
    return decision.againMs
  }
}

/** Most jobs ask for none: nothing is looked at closely for those. */
function asksForAny({ spec }: StreamJobObject): boolean {
  const { savepointNonce, savepoints } = spec as Partial<StreamJobSpec>
  return savepointNonce !== undefined || savepoints !== undefined
}

function isRunning({ status }: StreamJobObject): boolean {
  return status?.conditions?.some(one => one.type === 'Running' && one.status === 'True') === true
}

function madeBy(object: SavepointObject): MadeSavepoint | undefined {
  const due = object.metadata.labels?.[labels.due]
  if (due === undefined) return undefined
  const dueMs = Number(due)
  return { object, dueMs: dueMs === 0 ? undefined : dueMs }
}

function stopOf(object: SavepointObject): StopSavepoint | undefined {
  const epoch = object.metadata.labels?.[labels.stop]
  return epoch === undefined ? undefined : { object, epoch: Number(epoch) }
}

/** A scheduled one goes with its job; one that a person asked for stays. */
function savepointOf(job: StreamJobObject, { name, dueMs }: WantedSavepoint): SavepointObject {
  const own = metadataOf(job, name, { [labels.due]: String(dueMs ?? 0) })
  const { ownerReferences, ...metadata } = own
  return {
    apiVersion: job.apiVersion,
    kind: 'Savepoint',
    metadata: {
      ...metadata,
      labels: { ...labelsOf(job.metadata.name), ...metadata.labels },
      ...(dueMs !== undefined && { ownerReferences }),
    },
    spec: { job: job.metadata.name },
  }
}

/** N1: by another manager than the rest of the status, with the same precondition. */
async function storeNonce(
  job: StreamJobObject,
  nonce: number,
  { world }: ReconcileJobSavepointsOptions,
): Promise<void> {
  const patch = statusPatch(job, { nonces: { savepoint: nonce } })
  world.mayWrite()
  const manager = SAVEPOINT_MANAGER
  world.jobs.cache.set(await world.jobs.client.applyStatus(patch as never, { manager }))
}

/** Where a Savepoint says whose it is. */
export function jobKeyOf(object: SavepointObject): string | undefined {
  const name = takenOf(object)
  const { namespace } = object.metadata
  return name === undefined ? undefined : keyOf({ namespace, name })
}
