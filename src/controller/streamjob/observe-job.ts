/** Puts together what is known of a job; reads caches only. */
import { checkManifest, type ManifestKind, withoutUnknown } from '../../protocol/manifest-issues.ts'
import { type StreamJob, streamJobSchema } from '../../protocol/stream-job.ts'
import { streamJobRules } from '../../protocol/stream-job-rules.ts'
import { keyOf } from '../kube/kube-object.ts'
import type { HeardJob } from '../link/facts-poller.ts'
import type { Admission } from '../tenancy/admission.ts'
import { digestOf } from './diff-class.ts'
import { type ControllerRevisionObject, deployedOf, revisionName } from './job-revisions.ts'
import { newestJobManager } from './job-target.ts'
import { newerIn } from './newer-status.ts'
import type { Deployed, ObservedJob, Revision } from './observed-job.ts'
import type { PlanFacts, PodFacts } from './pod-facts.ts'
import { specProblem } from './spec-problem.ts'
import type { StreamJobObject } from './stream-job-object.ts'

const streamJobKind: ManifestKind<StreamJob> = { schema: streamJobSchema, rules: streamJobRules }

export interface JobParts {
  readonly object: StreamJobObject
  readonly pods: readonly PodFacts[]
  /** Those that plan. */
  readonly plans: readonly PlanFacts[]
  readonly revisions: readonly ControllerRevisionObject[]
  readonly heard: HeardJob
  readonly admission: Admission
  /** Of deployments whose spec names no image. */
  readonly engineImage: string
  readonly nowMs: number
}

export function observeJob(parts: JobParts): ObservedJob {
  const { object, pods, plans, heard, admission, nowMs } = parts
  const { status = {} } = object
  const asked = askedFor(object)
  const revisions = storedRevisions(parts)
  return {
    object,
    checked: asked.checked,
    newer: newerIn(status),
    problem: asked.problem,
    wanted: wantedOf(parts, asked),
    revisions,
    status,
    deployed: revisions.get(status.revision?.current ?? ''),
    deployedMs: madeMs(parts),
    pods,
    plans,
    heard,
    admission,
    facts: newestJobManager(pods, status.epoch)?.lastWord ?? heard.facts,
    nowMs,
  }
}

function madeMs({ object, revisions }: JobParts): number | undefined {
  const { current } = object.status?.revision ?? {}
  const { creationTimestamp } = revisions.find(one => one.metadata.name === current)?.metadata ?? {}
  return creationTimestamp === undefined ? undefined : Date.parse(creationTimestamp)
}

function storedRevisions({ revisions }: JobParts): ReadonlyMap<string, Deployed> {
  const known = revisions.flatMap(one => {
    const deployed = deployedOf(one)
    return deployed === undefined ? [] : [[one.metadata.name, deployed] as const]
  })
  return new Map(known)
}

/** What follows from a spec alone, of a job of this name. */
interface Asked {
  readonly key: string
  readonly checked: ObservedJob['checked']
  readonly problem: ObservedJob['problem']
  readonly specDigest: string
}

/** By the spec: most passes see one that was checked before, and a check is most of their cost. */
const askedBySpec = new WeakMap<WeakKey, Asked>()

function askedFor({ apiVersion, kind, metadata, spec }: StreamJobObject): Asked {
  const { name, namespace } = metadata
  const key = keyOf(metadata)
  const isObject = typeof spec === 'object' && spec !== null
  const before = isObject ? askedBySpec.get(spec) : undefined
  if (before?.key === key) return before
  const manifest = { apiVersion, kind, metadata: { name, namespace }, spec }
  const checked = checkManifest(streamJobKind, withoutUnknown(streamJobSchema, manifest))
  const specDigest = 'manifest' in checked ? digestOf(checked.manifest.spec) : ''
  const asked = { key, checked, problem: specProblem(checked), specDigest }
  if (isObject) askedBySpec.set(spec, asked)
  return asked
}

function wantedOf({ object, engineImage }: JobParts, asked: Asked): Revision | undefined {
  const { checked, problem, specDigest } = asked
  if (!('manifest' in checked) || problem !== undefined) return undefined
  const { manifest } = checked
  const image = manifest.spec.image ?? engineImage
  const name = revisionName(object.metadata, specDigest)
  return { name, deployed: { manifest, image, specDigest } }
}
