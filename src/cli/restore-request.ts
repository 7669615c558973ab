import { resolve } from 'node:path'
import type { RestoreRequest } from '../cluster/job-settings.ts'
import type { StreamJob } from '../protocol/stream-job.ts'

export interface RestoreFlags {
  /** `latest`, or the folder of a checkpoint or savepoint. Takes the place of spec.restore. */
  readonly restore?: string
  readonly dropState?: readonly string[]
  readonly fromJob?: string
}

/** From what the job starts, by its flags and its manifest. */
export function restoreRequest(
  options: RestoreFlags,
  manifest: StreamJob,
  cwd: string,
): RestoreRequest {
  const { restore: from } = options
  const { restore, upgrade } = manifest.spec
  const dropState = [...(upgrade.dropState ?? []), ...(options.dropState ?? [])]
  if (from === 'latest') return { kind: 'latest', dropState }
  // On a cluster spec.restore.savepoint names a resource; here a folder takes its place.
  const path = from ?? restore?.path
  if (path === undefined) return { kind: 'none' }
  const place = path.includes('://') ? path : resolve(cwd, path)
  const fromJob = options.fromJob ?? restore?.fromJob
  return { kind: 'path', path: place, dropState, ...(fromJob === undefined ? {} : { fromJob }) }
}
