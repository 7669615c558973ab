/** Puts together what is known of a job; reads caches only. */
import type { JobFacts } from '../../protocol/job-facts.ts'
import { checkManifest, type ManifestKind, withoutUnknown } from '../../protocol/manifest-issues.ts'
import { type StreamJob, type StreamJobSpec, streamJobSchema } from '../../protocol/stream-job.ts'
import { streamJobRules } from '../../protocol/stream-job-rules.ts'
import { streamJobStatusSchema } from '../../protocol/stream-job-status.ts'
import { keyOf } from '../kube/kube-object.ts'
import type { HeardJob } from '../link/facts-poller.ts'
import { newerIn } from '../newer-in.ts'
import type { SavepointObject } from '../savepoint/savepoint-object.ts'
import type { Admission } from '../tenancy/admission.ts'
import { digestOf } from './diff-class.ts'
import { type ControllerRevisionObject, deployedOf, revisionName } from './job-revisions.ts'
import { newestJobManager } from './job-target.ts'
import type { Deployed, ObservedJob, SpecProblem } from './observed-job.ts'
import type { PlanFacts, PodFacts } from './pod-facts.ts'
import { restoreSource } from './restore-source.ts'
import { specProblem } from './spec-problem.ts'
import type { StreamJobObject } from './stream-job-object.ts'

const newerStatus = newerIn(streamJobStatusSchema)

const streamJobKind: ManifestKind<StreamJob> = { schema: streamJobSchema, rules: streamJobRules }

export interface JobParts {
  readonly object: StreamJobObject
  readonly pods: readonly PodFacts[]
  /** Those that plan. */
  readonly plans: readonly PlanFacts[]
  readonly revisions: readonly ControllerRevisionObject[]
  readonly heard: HeardJob
  readonly warm: JobFacts | undefined
  readonly admission: Admission
  readonly surge: Admission
  /** The one of this namespace that `spec.restore.savepoint` names. */
  readonly source: SavepointObject | undefined
  readonly isStopKept: boolean
  /** Of deployments whose spec names no image. */
  readonly engineImage: string
  readonly nowMs: number
}

export function observeJob(parts: JobParts): ObservedJob {
  const { object, pods, plans, heard, warm, admission, surge, isStopKept, nowMs } = parts
  const { status = {} } = object
  const asked = askedFor(object)
  const revisions = storedRevisions(parts)
  const { wanted, problem } = wantedOf(parts, asked, revisions)
  return {
    object,
    checked: asked.checked,
    newer: newerStatus(status),
    problem,
    wanted,
    revisions,
    status,
    deployed: revisions.get(status.revision?.current ?? ''),
    deployedMs: madeMs(parts),
    pods,
    plans,
    heard,
    warm,
    admission,
    surge,
    facts: newestJobManager(pods, status.epoch)?.lastWord ?? heard.facts,
    isStopKept,
    refusedPods: undefined,
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

type Revisions = ObservedJob['revisions']

function wantedOf(
  parts: JobParts,
  { checked, problem, specDigest }: Asked,
  revisions: Revisions,
): Pick<ObservedJob, 'wanted' | 'problem'> {
  if (problem !== undefined || !('manifest' in checked)) return { wanted: undefined, problem }
  const { manifest } = checked
  const name = revisionName(parts.object.metadata, specDigest)
  const restore = restoreOf(parts, { name, spec: manifest.spec, revisions })
  if (restore !== undefined && 'problem' in restore) return { wanted: undefined, ...restore }
  const { restore: _asked, ...rest } = manifest.spec
  const spec = restore === undefined ? rest : { ...rest, restore }
  const image = spec.image ?? parts.engineImage
  const deployed = { manifest: { ...manifest, spec }, image, specDigest }
  return { wanted: { name, deployed }, problem: undefined }
}

interface NewRevision {
  readonly name: string
  readonly spec: StreamJobSpec
  readonly revisions: Revisions
}

/** With the folder in the place of the Savepoint's name, for as long as the revision lives. */
function restoreOf(
  { object, source }: JobParts,
  { name, spec, revisions }: NewRevision,
): StreamJobSpec['restore'] | { readonly problem: SpecProblem } {
  const { restore } = spec
  if (restore?.savepoint === undefined) return restore
  const stored = revisions.get(name)
  if (stored !== undefined) return stored.manifest.spec.restore
  const { state, revision } = object.status ?? {}
  const current = revisions.get(revision?.current ?? '')?.manifest.spec
  // It has state of its own by now, and is not asked to leave it.
  const goesOn = state !== undefined && current?.restoreNonce === spec.restoreNonce
  if (goesOn && current !== undefined) return current.restore
  const { name: job, namespace = '' } = object.metadata
  const named = { job: { name: job, namespace }, name: restore.savepoint, object: source }
  const found = restoreSource(named)
  if ('problem' in found) {
    // What runs needs it no more: only its revision was removed.
    return state !== undefined && revision?.current === name ? restore : found
  }
  const { savepoint: _name, ...rest } = restore
  const { fromJob = found.fromJob } = restore
  return { ...rest, path: found.path, ...(fromJob && { fromJob }) }
}
