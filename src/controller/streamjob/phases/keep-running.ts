/** The pods of the deployment that runs are kept while another one is being prepared. Pure. */
import { keepDeployment } from '../keep-pods.ts'
import type { Revision } from '../observed-job.ts'
import type { PhaseActs, PhaseView } from './upgrade-step.ts'

/** Nothing of a job that is not to be at work, or that has been told to stop and did. */
export function keepRunning({ seen, upgrade }: PhaseView, from: Revision): Partial<PhaseActs> {
  const { pods } = seen
  const jobManager = pods.some(one => one.role === 'jobmanager' && one.state === 'running')
  const hasStopped = upgrade.request !== undefined && !jobManager
  if (upgrade.goal === 'resume' || hasStopped) return {}
  const { start, stop, findings } = keepDeployment(seen, from.deployed)
  // Slots that have left at the end of the job are not lost.
  const isEnding =
    upgrade.request !== undefined &&
    pods.some(one => one.role === 'taskmanager' && one.state === 'succeeded')
  return { deploy: true, start: isEnding ? [] : start, stop, findings }
}
