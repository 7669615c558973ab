/**
 * What the jobmanager of a job says when it matters for what is decided: while an upgrade is under
 * way, and until the first deployment is stable. One that has ended has left its last word.
 */
import type { JobFacts } from '../../protocol/job-facts.ts'
import type { JobLink, JobTarget } from '../link/job-link.ts'
import { jobManagerOf } from './keep-pods.ts'
import { type PodFacts, type PodObject, podFacts } from './pod-facts.ts'
import type { StreamJobObject } from './stream-job-object.ts'

export interface Asked {
  readonly object: StreamJobObject
  readonly pods: readonly PodObject[]
  readonly link: JobLink
}

/** `undefined`: nobody asked, or no answer came. */
export async function askJobManager(
  { object, pods, link }: Asked,
  signal: AbortSignal,
): Promise<JobFacts | undefined> {
  const { upgrade, revision, epoch = 0 } = object.status ?? {}
  const isProven = revision?.stable !== undefined && revision.stable === revision.current
  if (upgrade === undefined && isProven) return undefined
  const target = targetOf(object, epoch, pods.flatMap(pod => podFacts(pod) ?? []))
  if (target === undefined) return undefined
  try {
    return await link.facts(target, signal)
  } catch (error) {
    // That it does not answer is a fact too: deadlines decide what follows of it.
    signal.throwIfAborted()
    return undefined
  }
}

/** Where the jobmanager of the epoch is; `undefined`: none runs. */
export function targetOf(
  { metadata }: StreamJobObject,
  epoch: number,
  pods: readonly PodFacts[],
): JobTarget | undefined {
  const jobManager = jobManagerOf(pods, epoch)
  const podIp = jobManager?.pod.status?.podIP
  if (jobManager?.state !== 'running' || podIp === undefined) return undefined
  const { name, namespace = '', uid = '' } = metadata
  return { namespace, name, uid, epoch, podIp }
}
