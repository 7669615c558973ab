/** The objects of a deployment beside its pods; pure. */
import { LINK_PORT } from '../../protocol/link-tls.ts'
import type { KubeObject, OwnerReference } from '../kube/kube-object.ts'
import { serviceName } from './host-name.ts'
import { CONTROL_PORT, epochName, labels, labelsOf } from './job-names.ts'
import type { Revision } from './observed-job.ts'
import type { StreamJobObject } from './stream-job-object.ts'

export interface ConfigMapObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

/** Everything goes with the job. */
function ownerOf(job: StreamJobObject): OwnerReference {
  const { apiVersion, kind, metadata } = job
  const { name, uid = '' } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** Name, place and owner of one of the job's objects. */
export function metadataOf(job: StreamJobObject, name: string, more: Record<string, string> = {}) {
  const { namespace = '' } = job.metadata
  return {
    name,
    namespace,
    labels: { ...labelsOf(job.metadata.name), ...more },
    ownerReferences: [ownerOf(job)] as const,
  }
}

/** The manifest of a revision, as its pods read it. */
export function manifestFileOf(job: StreamJobObject, revision: Revision): ConfigMapObject {
  const { name, deployed } = revision
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(job, name),
    data: {
      'job.yaml': JSON.stringify(deployed.manifest, undefined, 2),
      image: deployed.image,
    },
  }
}

/** The key that the processes of an epoch know. The controller never reads it again. */
export function keyOfEpoch(job: StreamJobObject, epoch: number, key: string): KubeObject {
  const name = epochName(job.metadata, epoch)
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadataOf(job, name, { [labels.epoch]: String(epoch) }),
    type: 'Opaque',
    stringData: { key },
  }
  return secret
}

/** Gives each jobmanager the name of its epoch: one that is warm has its own taskmanagers. */
export function serviceOf(job: StreamJobObject): KubeObject {
  const name = job.metadata.name
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(job, serviceName(name)),
    spec: {
      clusterIP: 'None',
      // Both ends prove themselves: a name that resolves late only costs time.
      publishNotReadyAddresses: true,
      selector: {
        [labels.job]: name,
        [labels.role]: 'jobmanager',
      },
      ports: [{ name: 'control', port: CONTROL_PORT, protocol: 'TCP' }],
    },
  }
  return service
}

/** A drained node takes one slot at a time. */
export function disruptionBudgetOf(job: StreamJobObject): KubeObject {
  const name = job.metadata.name
  const budget = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadataOf(job, name),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { [labels.job]: name, [labels.role]: 'taskmanager' } },
    },
  }
  return budget
}

/**
/** How a job stands to its surroundings. */
export interface JobSurroundings {
  /** Where controllers run: they may reach the port of the link. */
  readonly controllerNamespace: string
  /** Nothing may leave a tenant's namespace that is not named. */
  readonly isOfTenant: boolean
}

/**
 * Only pods of the same job reach its ports, and controllers the one of the link. What a job reads
 * and writes is not said here: in a tenant's namespace its own pods are named, too.
 */
export function networkPolicyOf(
  job: StreamJobObject,
  { controllerNamespace, isOfTenant }: JobSurroundings,
): KubeObject {
  const name = job.metadata.name
  const peers = [{ podSelector: { matchLabels: { [labels.job]: name } } }]
  const nameOfNamespace = { 'kubernetes.io/metadata.name': controllerNamespace }
  const controllers = [{ namespaceSelector: { matchLabels: nameOfNamespace } }]
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(job, name),
    spec: {
      podSelector: { matchLabels: { [labels.job]: name } },
      policyTypes: isOfTenant ? ['Ingress', 'Egress'] : ['Ingress'],
      ingress: [
        { from: peers },
        { from: controllers, ports: [{ protocol: 'TCP', port: LINK_PORT }] },
      ],
      ...(isOfTenant && { egress: [{ to: peers }] }),
    },
  }
  return policy
}
