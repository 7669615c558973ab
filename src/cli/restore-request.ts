import { resolve } from 'node:path'
import type { FirstRestore, RestoreRequest } from '../cluster/job-settings.ts'
import type { StreamJob } from '../protocol/stream-job.ts'
import { cliErrors } from './cli-errors.ts'

export interface RestoreFlags {
  /**
   * Takes the place of spec.restore: the folder of a checkpoint or savepoint; `latest`; `empty`;
   * or `continue`, for what runs of this job with other numbers left, otherwise spec.restore.
   */
  readonly restore?: string
  readonly dropState?: readonly string[]
  readonly fromJob?: string
}

/**
 * From what the job starts, by its flags and its manifest. Throws WEIR_RESTORE_SAVEPOINT_UNKNOWN
 * where a resource is named: to begin without would be to begin empty.
 */
export function restoreRequest(
  options: RestoreFlags,
  manifest: StreamJob,
  cwd: string,
): RestoreRequest {
  const { restore: from } = options
  const { restore, upgrade } = manifest.spec
  const dropState = [...(upgrade.dropState ?? []), ...(options.dropState ?? [])]
  const atPath = (path: string): FirstRestore => {
    const place = path.includes('://') ? path : resolve(cwd, path)
    const fromJob = options.fromJob ?? restore?.fromJob
    return { kind: 'path', path: place, dropState, ...(fromJob === undefined ? {} : { fromJob }) }
  }
  const first = (): FirstRestore => {
    const { savepoint: name } = restore ?? {}
    // On a cluster the controller puts its folder in its place.
    if (name !== undefined) throw cliErrors.WEIR_RESTORE_SAVEPOINT_UNKNOWN({ name })
    return restore?.path === undefined ? { kind: 'none' } : atPath(restore.path)
  }
  switch (from) {
    case undefined:
      return first()
    case 'latest':
      return { kind: 'latest', dropState }
    case 'continue':
      return { kind: 'continue', otherwise: first(), dropState }
    case 'empty':
      return { kind: 'none' }
    default:
      return atPath(from)
  }
}
