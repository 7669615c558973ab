/** The pods of the deployment that runs are kept while another one is being prepared. Pure. */
import { keepPods } from '../keep-pods.ts'
import type { Revision } from '../observed-job.ts'
import type { PhaseActs, PhaseView } from './upgrade-step.ts'

/** Nothing of a job that is not to be at work, or that has been told to stop and did. */
export function keepRunning({ seen, upgrade }: PhaseView, from: Revision): Partial<PhaseActs> {
  const { pods, nowMs, status } = seen
  const epoch = status.epoch ?? 0
  const jobManager = pods.some(one => one.role === 'jobmanager' && one.state === 'running')
  const hasStopped = upgrade.request !== undefined && !jobManager
  if (upgrade.goal === 'resume' || hasStopped) return {}
  const slots = from.deployed.manifest.spec.parallelism
  const { start, stop, findings } = keepPods({ epoch, slots, pods, nowMs })
  return { deploy: true, start, stop, findings }
}
