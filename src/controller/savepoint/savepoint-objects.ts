/** The objects that belong to a Savepoint; pure. */
import { withoutUnknown } from '../../protocol/manifest-issues.ts'
import { type SavepointSpec, savepointSpecSchema } from '../../protocol/savepoint.ts'
import type { ObjectMeta, OwnerReference } from '../kube/kube-object.ts'
import { labelsOf } from '../streamjob/job-names.ts'
import type { ConfigMapObject } from '../streamjob/job-objects.ts'
import type { Deployed } from '../streamjob/observed-job.ts'
import type { PodObject } from '../streamjob/pod-facts.ts'
import { verbPod } from '../streamjob/verb-pod.ts'
import type { SavepointObject } from './savepoint-object.ts'

/** What stands in it is the termination message. */
const REPORT_FILE = '/dev/termination-log'
/** Enough for a terabyte at the pace of a good disk; what takes longer is read by hand. */
const VERIFICATION_SECONDS = 7_200

/** What the order to the jobmanager is called: the same however often it is given. */
export function requestIdOf({ metadata, status }: SavepointObject): string {
  return `${metadata.uid ?? ''}-${status?.epoch ?? 0}-${status?.failures ?? 0}`
}

/** With which manifest, image and rights the files can be removed when the job is gone. */
export function recordName({ name, uid = '' }: ObjectMeta): string {
  return `${name}-savepoint-${uid.slice(0, 8)}`
}

export function recordOf(object: SavepointObject, deployment: ConfigMapObject): ConfigMapObject {
  const { metadata } = object
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: recordName(metadata),
      namespace: metadata.namespace ?? '',
      labels: labelsOf(jobOf(object)),
      ownerReferences: [ownerOf(object)],
    },
    data: { ...deployment.data },
  }
}

/** A pod that does something with the files. */
export interface FilesPlan {
  readonly object: SavepointObject
  readonly path: string
  readonly deployed: Deployed
  readonly number: number
}

export function disposalOf(plan: FilesPlan): PodObject {
  const args = ['savepoint', 'dispose', plan.path]
  return verbPod({ ...common(plan, 'dispose'), args })
}

/** `restore`: it reads each key, too. */
export function verificationPodOf(plan: FilesPlan, restore: boolean): PodObject {
  const how = [...(restore ? ['--restore'] : []), '--report', REPORT_FILE]
  const args = ['savepoint', 'verify', plan.path, ...how]
  const limitSeconds = VERIFICATION_SECONDS
  return verbPod({ ...common(plan, 'verify'), args, role: 'verify', limitSeconds })
}

function common({ object, deployed, number }: FilesPlan, what: string) {
  const { metadata } = object
  return {
    name: `${recordName(metadata)}-${what}-${number}`,
    namespace: metadata.namespace ?? '',
    owner: ownerOf(object),
    job: jobOf(object),
    deployed,
    configMap: recordName(metadata),
    number,
  }
}

/** With its defaults; the API server has refused what does not fit, an older one may not have. */
export function specOf({ spec }: SavepointObject): SavepointSpec | undefined {
  return savepointSpecSchema.safeParse(withoutUnknown(savepointSpecSchema, spec)).data
}

/** The job that it is, or was, taken of. */
export function takenOf(object: SavepointObject): string | undefined {
  const spec = specOf(object)
  return spec?.job ?? spec?.existing?.job
}

function jobOf(object: SavepointObject): string {
  return takenOf(object) ?? object.metadata.name
}

function ownerOf({ apiVersion, kind, metadata }: SavepointObject): OwnerReference {
  const { name, uid = '' } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}
