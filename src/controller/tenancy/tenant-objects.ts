/**
 * What a tenant has in each of its namespaces; pure. All of it belongs to the StreamTenant, and is
 * made again when somebody changes it.
 */
import { API_GROUP } from '../../protocol/manifest-shape.ts'
import type { StreamTenantSpec } from '../../protocol/stream-tenant.ts'
import type { KubeObject } from '../kube/kube-object.ts'
import { amountText, type Demand } from './demand.ts'
import { quotaOf } from './quota-ledger.ts'
import type { Tenant } from './tenant-directory.ts'

export const TENANCY_MANAGER = 'weir-tenancy'
export const tenantLabel = `${API_GROUP}/tenant`
/** Not that of the objects of jobs: two controllers, two watches. */
export const TENANCY_MANAGED = `app.kubernetes.io/managed-by=${TENANCY_MANAGER}`

type Json = Readonly<Record<string, unknown>>

export type TenantKind = 'resourceQuota' | 'limitRange' | 'networkPolicy' | 'roleBinding'

export interface TenantObject {
  readonly kind: TenantKind
  readonly object: KubeObject
}

/** `userRoles`: to which ClusterRoles its people are bound, NAME-admin and so on. */
export function tenantObjects(
  tenant: Tenant,
  namespace: string,
  userRoles: string,
): readonly TenantObject[] {
  const { spec } = tenant
  if (spec === undefined) return []
  const of = (kind: TenantKind, object: Json, name = 'weir-tenant'): TenantObject => {
    const metadata = metadataOf(tenant, namespace, name)
    return { kind, object: { ...shapes[kind], metadata, ...object } as KubeObject }
  }
  const hard = hardLimits(spec)
  return [
    ...(hard === undefined ? [] : [of('resourceQuota', { spec: { hard } })]),
    ...(spec.limits === undefined ? [] : [of('limitRange', { spec: limitsOf(spec.limits) })]),
    of('networkPolicy', { spec: networkOf(spec.network) }),
    ...bindingsOf(spec).map(({ role, subjects }) => {
      const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name: `${userRoles}-${role}` }
      return of('roleBinding', { roleRef, subjects }, `weir-tenant-${role}`)
    }),
  ]
}

/** Pods that are not allowed are not made; what is admitted there counts for this tenant. */
export function namespaceLabels(tenant: Tenant, namespace: KubeObject): KubeObject {
  const enforced = tenant.spec?.policy.podSecurity ?? 'restricted'
  const labels = { [tenantLabel]: tenant.name, 'pod-security.kubernetes.io/enforce': enforced }
  const { metadata, ...shape } = namespaceWithout(namespace)
  return { ...shape, metadata: { ...metadata, labels } }
}

/** The same object without anything of a tenant's: apply takes away what it applied before. */
export function namespaceWithout({ metadata: { name, uid } }: KubeObject): KubeObject {
  // One that is gone is not made again: with a uid, apply does not create.
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...(uid && { uid }) } }
}

const RBAC = 'rbac.authorization.k8s.io'

const shapes: Readonly<Record<TenantKind, Pick<KubeObject, 'apiVersion' | 'kind'>>> = {
  resourceQuota: { apiVersion: 'v1', kind: 'ResourceQuota' },
  limitRange: { apiVersion: 'v1', kind: 'LimitRange' },
  networkPolicy: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  roleBinding: { apiVersion: `${RBAC}/v1`, kind: 'RoleBinding' },
}

function metadataOf(tenant: Tenant, namespace: string, name: string): KubeObject['metadata'] {
  const { apiVersion, kind, metadata } = tenant.object
  const { uid = '' } = metadata
  return {
    name,
    namespace,
    labels: {
      [tenantLabel]: tenant.name,
      'app.kubernetes.io/managed-by': TENANCY_MANAGER,
      'app.kubernetes.io/name': 'weir',
    },
    ownerReferences: [{ apiVersion, kind, name: tenant.name, uid, controller: true }],
  }
}

/** A pod that leaves counts until it is gone, beside the one that takes its place. */
const ROOM_TO_REPLACE = 2

/** A second wall behind admission, which is exact: pods of others may not fill the room. */
function hardLimits({ quota, borrow }: StreamTenantSpec): Json | undefined {
  const [own, more] = [quotaOf(quota), quotaOf(borrow)]
  const limit = (resource: keyof Demand): string | undefined => {
    const amount = own[resource]
    if (amount === undefined) return undefined
    return amountText(resource, (amount + (more[resource] ?? 0)) * ROOM_TO_REPLACE)
  }
  const [cpu, memory] = [limit('cpu'), limit('memory')]
  if (cpu === undefined && memory === undefined) return undefined
  return {
    ...(cpu !== undefined && { 'requests.cpu': cpu }),
    ...(memory !== undefined && { 'requests.memory': memory }),
  }
}

function limitsOf(limits: NonNullable<StreamTenantSpec['limits']>): Json {
  const texts = (amounts: { cpu?: unknown; memory?: unknown } = {}): Json =>
    Object.fromEntries(Object.entries(amounts).map(([name, value]) => [name, String(value)]))
  const standard = texts(limits.default)
  const limit = {
    type: 'Container',
    // CPU beyond what was asked for is what the node has left: only memory is a limit.
    ...(standard.memory !== undefined && { default: { memory: standard.memory } }),
    defaultRequest: standard,
    max: texts(limits.max),
  }
  return { limits: [limit] }
}

const DNS_PORTS = ['UDP', 'TCP'].map(protocol => ({ protocol, port: 53 }))

/** Nothing comes in and nothing goes out but this; the policy of each job adds its own pods. */
function networkOf({ egress = [], ingress = [], allowDns }: StreamTenantSpec['network']): Json {
  const dns = { to: [{ namespaceSelector: {} }], ports: DNS_PORTS }
  return {
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
    ingress: ingress.map(peer => ({ from: [peerOf(peer)], ...portsOf(peer) })),
    egress: [
      ...(allowDns ? [dns] : []),
      ...egress.map(peer => ({ to: [peerOf(peer)], ...portsOf(peer) })),
    ],
  }
}

type Peer = NonNullable<StreamTenantSpec['network']['egress']>[number]

function peerOf({ cidr, namespace }: Peer): Json {
  if (cidr !== undefined) return { ipBlock: { cidr } }
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } }
}

function portsOf({ ports = [] }: Peer): Json {
  return ports.length === 0 ? {} : { ports }
}

interface Binding {
  readonly role: 'admin' | 'editor' | 'viewer'
  readonly subjects: readonly Json[]
}

function bindingsOf({ access = {} }: StreamTenantSpec): readonly Binding[] {
  const { admins = [], editors = [], viewers = [] } = access
  const subjectsOf = (list: typeof admins): readonly Json[] =>
    list.map(({ kind, name, namespace }) =>
      kind === 'ServiceAccount' ? { kind, name, namespace } : { apiGroup: RBAC, kind, name },
    )
  const all: readonly Binding[] = [
    { role: 'admin', subjects: subjectsOf(admins) },
    { role: 'editor', subjects: subjectsOf(editors) },
    { role: 'viewer', subjects: subjectsOf(viewers) },
  ]
  return all.filter(({ subjects }) => subjects.length > 0)
}
