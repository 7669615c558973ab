/** Who needs the files of a savepoint: as long as anybody does, they are not removed. Pure. */
import type { StreamJobObject } from '../streamjob/stream-job-object.ts'
import type { SavepointObject } from './savepoint-object.ts'

interface Restore {
  readonly savepoint?: string
  readonly path?: string
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
  if (status?.upgrade?.savepoint === path) return 'upgrade'
  // What it goes on from after a failure.
  if (status?.state?.path === path) return 'state'
  const { restore } = (spec ?? {}) as { readonly restore?: Restore }
  const isNamed = restore?.savepoint === name || restore?.path === path
  // A job that has completed a checkpoint of its own goes on from that.
  return isNamed && status?.state === undefined ? 'start' : undefined
}
