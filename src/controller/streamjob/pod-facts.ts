/** What the controller wants to know of a pod of a job; pure. */
import { type JobFacts, jobFactsSchema } from '../../protocol/job-facts.ts'
import type { ContainerStatus, PodStatus } from '../../protocol/pod-status.ts'
import type { KubeObject } from '../kube/kube-object.ts'
import { labels, type PodIdentity, type PodRole } from './job-names.ts'

export interface PodObject extends KubeObject {
  readonly spec?: unknown
  readonly status?: PodStatus
}

/** `leaving`: somebody deletes it. */
export type PodState = 'pending' | 'running' | 'succeeded' | 'failed' | 'leaving'

export interface PodFacts extends PodIdentity {
  readonly pod: PodObject
  readonly state: PodState
  /** No process of it is left: what remains is its record, also of one that leaves. */
  readonly hasEnded: boolean
  readonly exitCode: number | undefined
  /** Of the container that prepares the job. */
  readonly isRefused: boolean
  /** A node has been found for it. */
  readonly isBound: boolean
  /** The kubelet has it, and has not got together what its containers need. */
  readonly isUnmade: boolean
  /** By the clock of the API server. */
  readonly bornMs: number
  /** Why it is pending or failed, in the words of the scheduler, the kubelet or the process. */
  readonly why: string | undefined
  /** When it ended, 0 where that is not known. */
  readonly endedMs: number
  /** Where it can be reached. */
  readonly ip: string | undefined
  /** Of a jobmanager that ended well. */
  readonly lastWord: JobFacts | undefined
}

/** Exit code of who will not take a job, now or later: `exitCodes.invalid` of the commands. */
const REFUSED = 2

/** Of no deployment: what is of none is told to leave. */
const NO_EPOCH = 0
const podNames = /^(.+)-(?:jm-(\d+)|tm-(\d+)-(\d+))-(\d+)$/

/**
 * By its name, which nobody can change. Services and budgets find it by its labels: one whose
 * labels somebody has changed is of no use, and another takes its place.
 */
function identityOf({ metadata }: PodObject): PodIdentity | undefined {
  const found = podNames.exec(metadata.name)
  if (found === null) return undefined
  const [, job = '', ofJobManager, ofTaskManager, slot = '0', attempt] = found
  const named: PodIdentity = {
    role: ofJobManager === undefined ? 'taskmanager' : 'jobmanager',
    epoch: Number(ofJobManager ?? ofTaskManager),
    slot: Number(slot),
    attempt: Number(attempt),
  }
  const { labels: has = {} } = metadata
  const isFound =
    (has[labels.job] ?? job) === job &&
    has[labels.role] === named.role &&
    has[labels.epoch] === String(named.epoch) &&
    (has[labels.slot] ?? '0') === String(named.slot) &&
    has[labels.attempt] === String(named.attempt)
  return isFound ? named : { ...named, epoch: NO_EPOCH }
}

/** `undefined`: it is none of Weir's. */
export function podFacts(pod: PodObject): PodFacts | undefined {
  const identity = identityOf(pod)
  if (identity === undefined) return undefined
  const { role } = identity
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
  const ended = containerStatuses.find(one => one.name === (role satisfies PodRole))?.state
    ?.terminated
  const prepared = initContainerStatuses.find(one => one.state?.terminated !== undefined)?.state
    ?.terminated
  const finishedAt = ended?.finishedAt ?? prepared?.finishedAt
  const state = stateOf(pod, ended)
  return {
    ...identity,
    pod,
    state,
    hasEnded: ended !== undefined || isOver(pod),
    exitCode: ended?.exitCode,
    // Another code is a bucket that is away, or a process that was killed: it is tried again.
    isRefused: prepared?.exitCode === REFUSED,
    isBound: isTold(pod.status, 'PodScheduled', 'True'),
    isUnmade: isTold(pod.status, 'PodReadyToStartContainers', 'False') && state === 'pending',
    bornMs: Date.parse(pod.metadata.creationTimestamp ?? '') || 0,
    why: whyOf(pod),
    endedMs: finishedAt === undefined ? 0 : Date.parse(finishedAt),
    ip: pod.status?.podIP || undefined,
    lastWord: ended?.exitCode === 0 ? lastWordOf(ended.message) : undefined,
  }
}

/** A termination message of somebody else is none. */
function lastWordOf(message = ''): JobFacts | undefined {
  try {
    return jobFactsSchema.safeParse(JSON.parse(message)).data
  } catch {
    return undefined
  }
}

/** A pod that plans a revision. */
export interface PlanFacts {
  readonly pod: PodObject
  readonly revision: string
  readonly attempt: number
  readonly state: PodState
  /** It ended by itself, and says that the revision cannot be rolled out. */
  readonly verdict: string | undefined
  /** Its image cannot be had. */
  readonly isImageless: boolean
  readonly why: string | undefined
}

/** Waiting reasons of the kubelet that no waiting mends. */
const imageReasons = /^(ImagePullBackOff|InvalidImageName|ErrImageNeverPull)\b/

/** Of a pod that waits: its image cannot be had. */
export function isImageless({ state, why }: Pick<PodFacts, 'state' | 'why'>): boolean {
  return state === 'pending' && imageReasons.test(why ?? '')
}

/** Exit codes of `weir plan` by which it speaks of the job, not of its own bad luck. */
const verdictCodes = new Set([REFUSED, 3])

/** `undefined`: it is none of Weir's. */
export function planFacts(pod: PodObject): PlanFacts | undefined {
  const found = pod.metadata.labels ?? {}
  const revision = found[labels.revision]
  const attempt = Number(found[labels.attempt])
  const isPlan = found[labels.role] === 'plan' && revision !== undefined
  if (!isPlan || !Number.isSafeInteger(attempt)) return undefined
  const ended = pod.status?.containerStatuses?.find(one => one.name === 'jobmanager')?.state
    ?.terminated
  const state = stateOf(pod, ended)
  const why = whyOf(pod)
  const hasSpoken = state === 'failed' && verdictCodes.has(ended?.exitCode ?? 0)
  return {
    pod,
    revision,
    attempt,
    state,
    verdict: hasSpoken ? (ended?.message ?? why ?? '') : undefined,
    isImageless: isImageless({ state, why }),
    why,
  }
}

function isTold(status: PodObject['status'], type: string, is: 'True' | 'False'): boolean {
  return status?.conditions?.some(one => one.type === type && one.status === is) ?? false
}

type Ended = NonNullable<ContainerStatus['state']>['terminated']

function isOver({ status }: PodObject): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

/**
 * `ended`: of the container that counts. The phase follows later, and never where somebody has put
 * another container beside it.
 */
function stateOf({ metadata, status }: PodObject, ended: Ended): PodState {
  if (metadata.deletionTimestamp !== undefined) return 'leaving'
  if (status?.phase === 'Succeeded') return 'succeeded'
  if (status?.phase === 'Failed') return 'failed'
  if (ended !== undefined) return ended.exitCode === 0 ? 'succeeded' : 'failed'
  return isTold(status, 'Ready', 'True') ? 'running' : 'pending'
}

/** Why it waits or failed, in the words of the scheduler, the kubelet or the process. */
export function whyOf({ status }: PodObject): string | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = status ?? {}
  const unscheduled = status?.conditions?.find(
    one => one.type === 'PodScheduled' && one.status === 'False',
  )
  if (unscheduled !== undefined) return words(unscheduled)
  for (const { state } of [...initContainerStatuses, ...containerStatuses]) {
    const { waiting, terminated } = state ?? {}
    const isUsual = waiting?.reason === 'PodInitializing' || waiting?.reason === 'ContainerCreating'
    if (waiting !== undefined && !isUsual) return words(waiting)
    if (terminated !== undefined && terminated.exitCode !== 0) return words(terminated)
  }
  return status?.reason === undefined ? undefined : words(status)
}

function words(said: { reason?: string; message?: string; exitCode?: number }): string {
  const { reason = '', message = '', exitCode } = said
  const code = exitCode === undefined ? '' : `exit code ${exitCode}`
  return [reason, code, message].filter(text => text !== '').join(': ')
}
