/** `kubectl weir scale`: another number of slots, by the scale subresource as `kubectl scale`. */
import { type CliIo, exitCodes } from '../cli-io.ts'
import type { ClusterJob } from './cluster-job.ts'
import type { DryRun } from './edit-job.ts'
import { Kubectl, type KubectlTarget } from './kubectl.ts'
import { waitForJob } from './wait-for-job.ts'

export interface ScaleOptions extends KubectlTarget {
  readonly name: string
  readonly replicas: number
  readonly dryRun: DryRun
  readonly wait: boolean
  readonly timeoutMs: number
}

export async function scaleJob(options: ScaleOptions, io: CliIo): Promise<number> {
  const { name, replicas, dryRun, wait, timeoutMs } = options
  const kubectl = new Kubectl(options, io)
  const how = [`--replicas=${replicas}`, `--dry-run=${dryRun}`]
  io.out.write(await kubectl.output(['scale', 'streamjob', name, ...how]))
  if (wait && dryRun === 'none') {
    const isThere = waitsFor(replicas)
    await waitForJob(kubectl, { name, timeoutMs, isThere }, io)
  }
  return exitCodes.ok
}

function waitsFor(replicas: number) {
  return ({ status }: ClusterJob): boolean => {
    const { desired, ready } = status?.slots ?? {}
    return status?.phase === 'Running' && desired === replicas && ready === replicas
  }
}
