/**
 * Revisions of a job: each spec that was deployed, with the image that it was resolved to, in a
 * ControllerRevision, whose data the API server lets nobody change. The name says what is in it:
 * a spec that comes back is the same revision. Pure.
 */
import { oncePerObject } from '../../common/once-per-object.ts'
import { checkManifest, withoutUnknown } from '../../protocol/manifest-issues.ts'
import { streamJobSchema } from '../../protocol/stream-job.ts'
import { streamJobRules } from '../../protocol/stream-job-rules.ts'
import type { KubeObject, ObjectMeta } from '../kube/kube-object.ts'
import { digestOf } from './diff-class.ts'
import { type ConfigMapObject, metadataOf } from './job-objects.ts'
import type { Deployed, Revision } from './observed-job.ts'
import type { StreamJobObject } from './stream-job-object.ts'

export interface ControllerRevisionObject extends KubeObject {
  readonly data?: unknown
  /** Grows: the newest has the highest. */
  readonly revision: number
}

/** How many are kept for people who want to go back, beside those in use. */
const HISTORY_MAX = 10
/** With a job's name of 45 letters, a revision's is a label of 63. */
const DIGEST_CHARS = 8

export function revisionName({ name, uid = '' }: ObjectMeta, specDigest: string): string {
  const digest = specDigest.replace(/^sha256:/, '').slice(0, DIGEST_CHARS)
  return `${name}-${digest}-${uid.slice(0, 8)}`
}

export function revisionOf(
  job: StreamJobObject,
  { name, deployed }: Revision,
  number: number,
): ControllerRevisionObject {
  const { manifest, image } = deployed
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: metadataOf(job, name),
    data: { manifest, image },
    revision: number,
  }
}

/** `undefined`: no version of Weir wrote it. Its data never changes, and each pass reads it. */
export const deployedOf = oncePerObject(
  ({ data }: ControllerRevisionObject): Deployed | undefined => {
    const { manifest, image } = (data ?? {}) as { manifest?: unknown; image?: unknown }
    return deployedFrom(manifest, image)
  },
)

/** Likewise of the ConfigMap that its pods read, or of a copy of that. */
export function deployedOfFile(file: ConfigMapObject | undefined): Deployed | undefined {
  const { 'job.yaml': text = '', image } = file?.data ?? {}
  try {
    return deployedFrom(JSON.parse(text), image)
  } catch {
    return undefined
  }
}

function deployedFrom(made: unknown, image: unknown): Deployed | undefined {
  if (typeof image !== 'string') return undefined
  const known = withoutUnknown(streamJobSchema, made)
  const checked = checkManifest({ schema: streamJobSchema, rules: streamJobRules }, known)
  if (!('manifest' in checked)) return undefined
  const { manifest } = checked
  // As this version reads it: one that knows more fields sees no change in that.
  return { manifest, image, specDigest: digestOf(manifest.spec) }
}

/** Those that nobody needs any more, oldest first. */
export function surplusRevisions(
  all: readonly ControllerRevisionObject[],
  used: ReadonlySet<string>,
): readonly ControllerRevisionObject[] {
  return all
    .filter(one => !used.has(one.metadata.name))
    .toSorted((a, b) => a.revision - b.revision)
    .slice(0, -HISTORY_MAX)
}
