/** The kinds that the controller talks about, and where the API server keeps them. */
import { API_GROUP, API_VERSION } from '../../protocol/manifest-shape.ts'

export interface ResourceKind {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly isNamespaced: boolean
}

const WEIR = `${API_GROUP}/${API_VERSION}`

/** By its name, the one that a reader looks for. */
export const resourceKinds = {
  streamJob: of(WEIR, 'StreamJob', 'streamjobs'),
  savepoint: of(WEIR, 'Savepoint', 'savepoints'),
  streamTenant: ofCluster(WEIR, 'StreamTenant', 'streamtenants'),
  lease: of('coordination.k8s.io/v1', 'Lease', 'leases'),
  event: of('events.k8s.io/v1', 'Event', 'events'),
  crd: ofCluster(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
  ),
  namespace: ofCluster('v1', 'Namespace', 'namespaces'),
  resourceQuota: of('v1', 'ResourceQuota', 'resourcequotas'),
  limitRange: of('v1', 'LimitRange', 'limitranges'),
  pod: of('v1', 'Pod', 'pods'),
  service: of('v1', 'Service', 'services'),
  secret: of('v1', 'Secret', 'secrets'),
  controllerRevision: of('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  configMap: of('v1', 'ConfigMap', 'configmaps'),
  podDisruptionBudget: of('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  networkPolicy: of('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  roleBinding: of('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  clusterRole: ofCluster('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles'),
} as const satisfies Readonly<Record<string, ResourceKind>>

function of(apiVersion: string, kind: string, plural: string): ResourceKind {
  return { apiVersion, kind, plural, isNamespaced: true }
}

function ofCluster(apiVersion: string, kind: string, plural: string): ResourceKind {
  return { apiVersion, kind, plural, isNamespaced: false }
}

export interface ResourcePlace {
  /** Absent: all namespaces, or a kind of the cluster. */
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly subresource?: 'status' | undefined
}

/** `/apis/weir.dev/v1alpha1/namespaces/payments/streamjobs/fraud/status` */
export function pathOf(kind: ResourceKind, place: ResourcePlace = {}): string {
  const { namespace, name, subresource } = place
  const root = kind.apiVersion.includes('/') ? '/apis' : '/api'
  const scope = namespace === undefined ? [] : ['namespaces', encodeURIComponent(namespace)]
  const rest = [name, subresource].filter(part => part !== undefined).map(encodeURIComponent)
  return [root, kind.apiVersion, ...scope, kind.plural, ...rest].join('/')
}
