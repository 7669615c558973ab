/** Who needs the files of a savepoint: as long as anybody does, they are not removed. Pure. */
import type { StreamJobObject } from '../streamjob/stream-job-object.ts'
import type { SavepointObject } from './savepoint-object.ts'

interface Restoring {
  readonly restore?: { readonly savepoint?: string; readonly path?: string }
  readonly restoreNonce?: number
}

export function pinsOf(
  { metadata, status }: SavepointObject,
  jobs: readonly StreamJobObject[],
): readonly string[] {
  const { path } = status ?? {}
  if (path === undefined) return []
  return jobs
    .filter(job => job.metadata.namespace === metadata.namespace)
    .flatMap(job => {
      const reason = needOf(job, { name: metadata.name, path })
      return reason === undefined ? [] : [`${reason} of ${job.metadata.name}`]
    })
    .toSorted()
}

function needOf(
  { metadata, spec, status }: StreamJobObject,
  { name, path }: { readonly name: string; readonly path: string },
): string | undefined {
  // It never runs again.
  if (metadata.deletionTimestamp !== undefined) return undefined
  const { upgrade, start, state, epoch = 0, nonces } = status ?? {}
  if (upgrade?.savepoint === path || upgrade?.restoring === path) return 'upgrade'
  // What it goes on from after a failure.
  if (state?.path === path) return 'state'
  if (start?.path === path && (state?.epoch ?? 0) < epoch) return 'start'
  const { restore, restoreNonce = 0 } = (spec ?? {}) as Restoring
  const isNamed = restore?.savepoint === name || restore?.path === path
  // A job that has completed a checkpoint of its own goes on from that, until it is asked anew.
  const isToBegin = state === undefined || restoreNonce > (nonces?.restore ?? 0)
  return isNamed && isToBegin ? 'start' : undefined
}
