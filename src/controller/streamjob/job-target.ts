/** Who can be asked how a job is; pure. */
import type { JobTarget } from '../link/job-link.ts'
import type { PodFacts } from './pod-facts.ts'
import type { StreamJobObject } from './stream-job-object.ts'

/** The newest jobmanager of the epoch in the status; `undefined`: none that would answer. */
export function jobTarget(
  object: StreamJobObject,
  pods: readonly PodFacts[],
): JobTarget | undefined {
  return targetOf(object, pods, object.status?.epoch)
}

/** The one that is made ready, as long as that goes on. */
export function warmTarget(
  object: StreamJobObject,
  pods: readonly PodFacts[],
): JobTarget | undefined {
  const { phase, warm } = object.status?.upgrade ?? {}
  return phase === 'Reserving' ? targetOf(object, pods, warm) : undefined
}

function targetOf(
  { metadata }: StreamJobObject,
  pods: readonly PodFacts[],
  epoch: number | undefined,
): JobTarget | undefined {
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
