/**
 * `kubectl weir logs`: the logs of jobmanager and slots of the newest deployment. Followed, pods
 * that take the place of others join in, and it ends with the job.
 */
import { type CliIo, exitCodes } from '../cli-io.ts'
import { type ClusterPod, findJob, labelOf, placeOf, podsOf } from './cluster-job.ts'
import { Kubectl, type KubectlTarget } from './kubectl.ts'

export interface LogOptions extends KubectlTarget {
  readonly name: string
  readonly follow: boolean
  /** Only of this slot, or `jobmanager`. */
  readonly slot?: string | undefined
  readonly tail?: string | undefined
  readonly since?: string | undefined
}

const LOOK_EVERY_MS = 2_000
const ended = new Set(['Finished', 'Failed', 'Suspended', 'Parked'])

/** Gives the exit code. */
export async function showLogs(options: LogOptions, io: CliIo): Promise<number> {
  const kubectl = new Kubectl(options, io)
  let isStopped = false
  const following = new Set<ReturnType<Kubectl['follow']>>()
  const release = io.onStop(signal => {
    isStopped = true
    for (const child of following) child.kill(signal)
  })
  const shown = new Set<string>()
  let code: number = exitCodes.ok
  for (;;) {
    const job = await findJob(kubectl, options.name)
    const logs = (await podsOf(kubectl, job)).flatMap(pod => logsOf(pod, options.slot))
    for (const { pod, container } of logs.filter(one => !shown.has(keyOf(one)))) {
      shown.add(keyOf({ pod, container }))
      const args = ['logs', pod, '--container', container, ...placeOf(job), ...howTo(options)]
      if (!options.follow) code = Math.max(code, await kubectl.show(args))
      else {
        const child = kubectl.follow(args)
        following.add(child)
        child.on('close', () => following.delete(child))
      }
    }
    const isOver = ended.has(job.status?.phase ?? '') && following.size === 0
    if (!options.follow || isOver || isStopped) break
    await new Promise<void>(resolve => void io.clock.schedule(LOOK_EVERY_MS, resolve))
  }
  release()
  if (shown.size === 0) {
    const which = options.slot === undefined ? '' : ` of slot ${options.slot}`
    io.err.write(`no container${which} of job ${options.name} has a log\n`)
    // Who names one expects it to be there.
    if (options.slot !== undefined) code = exitCodes.failed
  }
  return isStopped ? exitCodes.interrupted : code
}

interface ContainerLog {
  readonly pod: string
  readonly container: string
}

function keyOf({ pod, container }: ContainerLog): string {
  return `${pod}/${container}`
}

/** Of the containers that have started, in the order in which they do. */
function logsOf(pod: ClusterPod, slot: string | undefined): readonly ContainerLog[] {
  const isJobManager = labelOf(pod, 'role') === 'jobmanager'
  const own = isJobManager ? 'jobmanager' : labelOf(pod, 'slot')
  if (slot !== undefined && slot !== own) return []
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {}
  return [...initContainerStatuses, ...containerStatuses]
    .filter(({ state }) => state !== undefined && state.waiting === undefined)
    .map(({ name }) => ({ pod: pod.metadata.name, container: name }))
}

function howTo({ follow, tail, since }: LogOptions): string[] {
  return [
    '--prefix',
    ...(follow ? ['--follow'] : []),
    ...(tail === undefined ? [] : ['--tail', tail]),
    ...(since === undefined ? [] : ['--since', since]),
  ]
}
