/**
 * Short-lived pods that run a verb of `weir` with what a job's pods have: its image, credentials,
 * account and node. The controller itself touches no state. Pure.
 */

import type { StreamJobSpec } from '../../protocol/stream-job.ts'
import type { OwnerReference } from '../kube/kube-object.ts'
import { codePartsOf } from './job-code.ts'
import { labels, labelsOf } from './job-names.ts'
import {
  amounts,
  containerOf,
  folders,
  HOME,
  podSpec,
  secretMounts,
  secretVolumes,
} from './job-pods.ts'
import { mergePod, namedContainer } from './merge-pod.ts'
import type { Deployed } from './observed-job.ts'
import { type PodObject, whyOf } from './pod-facts.ts'

export interface VerbPlan {
  readonly name: string
  readonly namespace: string
  readonly owner: OwnerReference
  readonly job: string
  /** Whose manifest, image and rights it takes. */
  readonly deployed: Deployed
  /** The ConfigMap that has the manifest, mounted at /var/run/weir/deployment. */
  readonly configMap: string
  readonly args: readonly string[]
  /** The verb reads the job's code, as the pod does that prepares it. */
  readonly readsCode?: boolean
  /** The how manieth try. */
  readonly number: number
  /** By which those of one purpose are found again. */
  readonly role?: VerbRole
  /** It ends by then; reading all of a large state takes long. */
  readonly limitSeconds?: number
}

type VerbRole = 'verb' | 'verify'

export interface VerbPod {
  readonly number: number
  readonly state: 'running' | 'succeeded' | 'failed'
  readonly endedMs: number
  readonly why: string | undefined
  /** What it left to be read when it ended. */
  readonly word: string | undefined
  readonly pod: PodObject
}

/** One that cannot start is as good as one that failed. */
const LIMIT_SECONDS = 600
/** It fits in beside a job that fills its node; it may use what nobody else does. */
const CPU = '50m'

export function verbPod(plan: VerbPlan): PodObject {
  const { name, namespace, owner, job, deployed, configMap, args, number } = plan
  const { role = 'verb', limitSeconds = LIMIT_SECONDS } = plan
  const { spec } = deployed.manifest
  const code = plan.readsCode === true ? codeOf(spec) : undefined
  const container = {
    // By this name the template for jobmanagers applies to it.
    ...containerOf('jobmanager', deployed),
    ...code?.fields,
    args: [...args],
    resources: amounts({ cpu: CPU, memory: spec.resources.jobManager.memory }),
    volumeMounts: [
      { name: 'work', mountPath: folders.work },
      { name: 'temporary', mountPath: '/tmp' },
      { name: 'deployment', mountPath: folders.deployment, readOnly: true },
      ...secretMounts(spec),
      ...(code?.mounts ?? []),
    ],
  }
  const volumes = [
    { name: 'work', emptyDir: {} },
    { name: 'temporary', emptyDir: {} },
    { name: 'deployment', configMap: { name: configMap } },
    ...secretVolumes(spec),
    ...(code?.volumes ?? []),
  ]
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { ...labelsOf(job), [labels.role]: role, [labels.attempt]: String(number) },
      ownerReferences: [owner],
    },
    spec: {
      ...podSpec(spec, { containers: [container], volumes }),
      activeDeadlineSeconds: limitSeconds,
    },
  }
  return withoutCompanions(mergePod(pod, spec.podTemplate?.jobManager ?? {}))
}

function codeOf(spec: StreamJobSpec) {
  const { env, mounts, volumes } = codePartsOf(spec)
  const cache = { name: 'XDG_CACHE_HOME', value: `${folders.work}/cache` }
  // Modules of the image are found from there.
  return { fields: { workingDir: HOME, env: [cache, ...env] }, mounts, volumes }
}

/** A companion of the template would keep the pod from ending. */
function withoutCompanions(pod: Readonly<Record<string, unknown>>): PodObject {
  const own = namedContainer(pod.spec, 'jobmanager')
  // Another thing than a pod: the API server says what.
  if (own === undefined) return pod as unknown as PodObject
  const { initContainers: _init, ...spec } = pod.spec as Readonly<Record<string, unknown>>
  return { ...pod, spec: { ...spec, containers: [own] } } as unknown as PodObject
}

/** Those among the pods of an owner, the first try first. */
export function verbPods(
  pods: readonly PodObject[],
  nowMs: number,
  role: VerbRole = 'verb',
): readonly VerbPod[] {
  return pods
    .filter(({ metadata }) => metadata.labels?.[labels.role] === role)
    .map(pod => verbFacts(pod, nowMs))
    .toSorted((a, b) => a.number - b.number)
}

function verbFacts(pod: PodObject, nowMs: number): VerbPod {
  const { metadata, status } = pod
  const ended = status?.containerStatuses?.find(one => one.state?.terminated !== undefined)?.state
    ?.terminated
  const bornMs = Date.parse(metadata.creationTimestamp ?? '')
  const isOverdue = nowMs - bornMs > LIMIT_SECONDS * 1_000 && status?.phase !== 'Running'
  const isLost = metadata.deletionTimestamp !== undefined || isOverdue
  const state =
    status?.phase === 'Succeeded'
      ? 'succeeded'
      : status?.phase === 'Failed' || isLost
        ? 'failed'
        : 'running'
  return {
    number: Number(metadata.labels?.[labels.attempt] ?? 0),
    state,
    endedMs: ended?.finishedAt === undefined ? bornMs : Date.parse(ended.finishedAt),
    why: whyOf(pod),
    word: ended?.message,
    pod,
  }
}
