/** Puts together what is known of a job; reads caches only. */
import { createHash } from 'node:crypto'
import { checkManifest, type ManifestKind, withoutUnknown } from '../../protocol/manifest-issues.ts'
import { type StreamJob, type StreamJobSpec, streamJobSchema } from '../../protocol/stream-job.ts'
import { streamJobRules } from '../../protocol/stream-job-rules.ts'
import type { HeardJob } from '../link/facts-poller.ts'
import type { Admission } from '../tenancy/admission.ts'
import type { ConfigMapObject } from './job-objects.ts'
import type { Deployed, ObservedJob } from './job-policies.ts'
import type { PodFacts } from './pod-facts.ts'
import type { StreamJobObject } from './stream-job-object.ts'

const streamJobKind: ManifestKind<StreamJob> = { schema: streamJobSchema, rules: streamJobRules }

export interface JobParts {
  readonly object: StreamJobObject
  readonly pods: readonly PodFacts[]
  /** Of the epoch in the status. */
  readonly deployment: ConfigMapObject | undefined
  readonly heard: HeardJob
  readonly admission: Admission
  readonly nowMs: number
}

export function observeJob(parts: JobParts): ObservedJob {
  const { object, pods, deployment, heard, admission, nowMs } = parts
  const { apiVersion, kind, metadata, spec } = object
  const { name, namespace } = metadata
  const manifest = { apiVersion, kind, metadata: { name, namespace }, spec }
  const checked = checkManifest(streamJobKind, withoutUnknown(streamJobSchema, manifest))
  return {
    object,
    checked,
    specDigest: 'manifest' in checked ? digestOf(checked.manifest.spec) : '',
    status: object.status ?? {},
    deployed: deployedOf(deployment),
    pods,
    heard,
    admission,
    nowMs,
  }
}

/** Fields that are acted on without another deployment, or not at all yet. */
const liveFields = new Set<keyof StreamJobSpec>([
  'state',
  'stop',
  'upgrade',
  'rollback',
  'savepointNonce',
  'savepoints',
  'autoscaler',
  'deletionPolicy',
  'priority',
  'preemptible',
])

function digestOf(spec: StreamJobSpec): string {
  const entries = Object.entries(spec).filter(
    ([name]) => !liveFields.has(name as keyof StreamJobSpec),
  )
  return `sha256:${createHash('sha256').update(JSON.stringify(entries)).digest('hex')}`
}

/** `undefined`: somebody has damaged it; the epoch is written anew. */
export function deployedOf(deployment: ConfigMapObject | undefined): Deployed | undefined {
  const { data = {} } = deployment ?? {}
  const { image, 'job.yaml': text = '' } = data
  if (image === undefined) return undefined
  try {
    const known = withoutUnknown(streamJobSchema, JSON.parse(text))
    const checked = checkManifest(streamJobKind, known)
    if (!('manifest' in checked)) return undefined
    const { manifest } = checked
    // As this version reads it: one that knows more fields sees no change in that.
    return { manifest, image, specDigest: digestOf(manifest.spec) }
  } catch {
    return undefined
  }
}
