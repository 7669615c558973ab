/** Who can be asked how a job is; pure. */
import type { JobTarget } from '../link/job-link.ts'
import type { PodFacts } from './pod-facts.ts'
import type { StreamJobObject } from './stream-job-object.ts'

/** The newest jobmanager of the epoch in the status; `undefined`: none that would answer. */
export function jobTarget(
  { metadata, status }: StreamJobObject,
  pods: readonly PodFacts[],
): JobTarget | undefined {
  const { epoch } = status ?? {}
  const newest = newestJobManager(pods, epoch)
  const isThere = newest?.state === 'running' || newest?.state === 'pending'
  const { namespace = '', name, uid = '' } = metadata
  if (!isThere || newest.ip === undefined || epoch === undefined) return undefined
  return { namespace, name, uid, epoch, podIp: newest.ip }
}

export function newestJobManager(
  pods: readonly PodFacts[],
  epoch: number | undefined,
): PodFacts | undefined {
  return pods
    .filter(one => one.role === 'jobmanager' && one.epoch === epoch)
    .toSorted((a, b) => b.attempt - a.attempt)[0]
}
