/** StreamJobs and their pods, as kubectl gives them; they may be of any version of Weir. */
import type { PodStatus } from '../../protocol/pod-status.ts'
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import type { Kubectl } from './kubectl.ts'

interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
}

export interface ClusterJob {
  readonly metadata: Metadata
  readonly spec: Readonly<Record<string, unknown>>
  readonly status?: StreamJobStatus
}

export interface ClusterPod {
  readonly metadata: Metadata
  readonly status?: PodStatus
}

interface List<T> {
  readonly items: readonly T[]
}

/** Which jobs a verb is about. */
export interface JobChoice {
  readonly name?: string | undefined
  readonly selector?: string | undefined
  readonly allNamespaces?: boolean | undefined
}

export async function findJobs(
  kubectl: Kubectl,
  choice: JobChoice,
): Promise<readonly ClusterJob[]> {
  const { name, selector, allNamespaces = false } = choice
  if (name !== undefined) return [await findJob(kubectl, name)]
  const args = [
    ...(selector === undefined ? [] : ['--selector', selector]),
    ...(allNamespaces ? ['--all-namespaces'] : []),
  ]
  return (await kubectl.json<List<ClusterJob>>(['get', 'streamjobs', ...args])).items
}

export function findJob(kubectl: Kubectl, name: string): Promise<ClusterJob> {
  return kubectl.json<ClusterJob>(['get', 'streamjob', name])
}

/** Where a job is, whatever the namespace of the command. */
export function placeOf({ metadata }: ClusterJob): readonly string[] {
  return metadata.namespace === undefined ? [] : ['--namespace', metadata.namespace]
}

/** The pods of its newest deployment. */
export async function podsOf(kubectl: Kubectl, job: ClusterJob): Promise<readonly ClusterPod[]> {
  const { epoch = 0 } = job.status ?? {}
  const selector = `weir.dev/job=${job.metadata.name},weir.dev/epoch=${epoch}`
  const args = ['get', 'pods', '--selector', selector, ...placeOf(job)]
  return (await kubectl.json<List<ClusterPod>>(args)).items
}

export function labelOf({ metadata }: ClusterPod, name: string): string {
  return metadata.labels?.[`weir.dev/${name}`] ?? ''
}

/** The jobmanager that runs; `undefined`: none does. */
export function jobManagerOf(pods: readonly ClusterPod[]): ClusterPod | undefined {
  const attempt = (pod: ClusterPod): number => Number(labelOf(pod, 'attempt'))
  return pods
    .filter(pod => labelOf(pod, 'role') === 'jobmanager' && pod.status?.phase === 'Running')
    .filter(pod => pod.metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => attempt(b) - attempt(a))[0]
}

/** Runs a verb of `weir` beside the jobmanager, as the command of `kubectl exec`. */
export function inJobManager(job: ClusterJob, pod: ClusterPod, verb: readonly string[]): string[] {
  const container = ['--container', 'jobmanager']
  return ['exec', pod.metadata.name, ...placeOf(job), ...container, '--', 'weir', ...verb]
}
