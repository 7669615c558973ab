/**
 * Asks the API server for the pods of an upgrade while nothing has been stopped for it: for the one
 * that plans in earnest, for those of the job as a trial that makes none. So a template that Pod
 * Security, a LimitRange or a webhook refuses is found while the job still runs.
 */
import { isHindrance, refusalIn, type WriteRefusal } from '../kube/write-refusal.ts'
import type { JobDecision } from './job-decision.ts'
import type { PodIdentity } from './job-names.ts'
import { manifestFileOf } from './job-objects.ts'
import { podOf } from './job-pods.ts'
import type { JobWorld } from './job-world.ts'
import { nextEpoch } from './next-epoch.ts'
import type { ObservedJob, Revision } from './observed-job.ts'
import { planPodOf } from './plan-pod.ts'

export interface Trial {
  readonly world: Pick<JobWorld, 'pods' | 'configMaps'>
  readonly signal: AbortSignal
}

/** There is something to be asked for. */
export function asksForPods({ plan, tryPods }: JobDecision): boolean {
  return plan !== undefined || tryPods !== undefined
}

/** What the API server has against them. */
export async function tryPods(
  observed: ObservedJob,
  decision: JobDecision,
  trial: Trial,
): Promise<WriteRefusal | undefined> {
  const { plan } = decision
  if (plan !== undefined) {
    const { world, signal } = trial
    return refusalIn(async () => {
      await world.configMaps.ensure(manifestFileOf(observed.object, plan.revision), signal)
      await world.pods.create(planPodOf(observed.object, plan), signal)
    })
  }
  if (decision.tryPods === undefined) return undefined
  return triedPods(observed, decision.tryPods, trial)
}

async function triedPods(
  { object, status }: ObservedJob,
  revision: Revision,
  { world, signal }: Trial,
): Promise<WriteRefusal | undefined> {
  const place = { epoch: nextEpoch(status), slot: 0, attempt: 1 }
  // All slots are alike.
  const identities: readonly PodIdentity[] = [
    { ...place, role: 'jobmanager' },
    { ...place, role: 'taskmanager' },
  ]
  for (const identity of identities) {
    const pod = podOf({ job: object, revision, identity, start: { from: 'latest' }, isWarm: false })
    const refused = await refusalIn(() => world.pods.attempt(pod, signal))
    if (refused !== undefined && isHindrance(refused)) return refused
  }
  return undefined
}
