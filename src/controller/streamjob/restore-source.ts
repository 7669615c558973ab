/**
 * What `spec.restore.savepoint` leads to: the folder of a Savepoint of the same namespace, and
 * whose it is, where that is another job. Pure.
 */
import type { SavepointSpec } from '../../protocol/savepoint.ts'
import type { SavepointObject } from '../savepoint/savepoint-object.ts'
import type { SpecProblem } from './observed-job.ts'
import type { StreamJobObject } from './stream-job-object.ts'

/** By what a StreamJob as it is stored says. */
export function namedSavepoint({ spec }: Pick<StreamJobObject, 'spec'>): string | undefined {
  const { restore } = (spec ?? {}) as { readonly restore?: { readonly savepoint?: string } }
  return restore?.savepoint
}

export interface NamedSavepoint {
  /** Of the job that is to begin from it. */
  readonly job: { readonly name: string; readonly namespace: string }
  /** As the spec names it. */
  readonly name: string
  /** `undefined`: there is none of that name. */
  readonly object: SavepointObject | undefined
}

export type RestoreSource =
  | { readonly path: string; readonly fromJob: string | undefined }
  | { readonly problem: SpecProblem }

export function restoreSource({ job, name, object }: NamedSavepoint): RestoreSource {
  const named = `spec.restore.savepoint is ${name}`
  if (object === undefined) {
    const place = `namespace ${job.namespace}`
    return refused('SavepointNotFound', `${named}: ${place} has no such Savepoint; name another`)
  }
  const { metadata, status = {} } = object
  if (metadata.deletionTimestamp !== undefined || status.phase === 'Disposing') {
    return refused('SavepointLeaving', `${named}, which is being deleted: name another`)
  }
  if (status.phase === 'Failed') {
    const { code = '', message = 'it does not say why' } = status.error ?? {}
    return refused('SavepointFailed', `${named}, which failed (${code} ${message}): name another`)
  }
  if (status.phase === 'Completed' && status.error !== undefined) {
    const { code, message } = status.error
    return refused(
      'SavepointDamaged',
      `${named}, which is damaged (${code} ${message}): name another`,
    )
  }
  const { path } = status
  if (status.phase !== 'Completed' || path === undefined) {
    const phase = status.phase ?? 'Pending'
    const message = `${named}, which is ${phase}: the job begins once it is Completed`
    return { problem: { reason: 'SavepointAwaited', message, isAwaited: true } }
  }
  return { path, fromJob: otherJobOf(object, job) }
}

function refused(reason: string, message: string): RestoreSource {
  return { problem: { reason, message } }
}

/** In the words of the engine: a Savepoint belongs to a job of its own namespace. */
function otherJobOf({ spec }: SavepointObject, job: NamedSavepoint['job']): string | undefined {
  const { job: taken, existing } = spec as Pick<SavepointSpec, 'job' | 'existing'>
  const owner = taken ?? existing?.job
  return owner === undefined || owner === job.name ? undefined : `${job.namespace}.${owner}`
}
