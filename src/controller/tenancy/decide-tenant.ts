/** What is to be done for a tenant, by what was observed. Pure: `reconcile-tenant.ts` acts. */
import type { StreamTenantStatus } from '../../protocol/stream-tenant.ts'
import { conditionsOf, type FindingOf } from '../conditions.ts'
import { isForced, isHeld } from '../kube/finalizer.ts'
import type { KubeObject } from '../kube/kube-object.ts'
import { retryAfterMs, type WriteRefusal } from '../kube/write-refusal.ts'
import { amountText } from './demand.ts'
import type { TenantUsage } from './quota-ledger.ts'
import type { Tenant } from './tenant-directory.ts'
import { namespaceLabels, type TenantObject, tenantObjects } from './tenant-objects.ts'

export const FINALIZER = 'weir.dev/tenant'

export interface ObservedTenant {
  readonly tenant: Tenant
  /** That belong to it. */
  readonly namespaces: readonly KubeObject[]
  readonly conflicts: readonly { readonly namespace: string; readonly owner: string }[]
  /** Names that it asks for and nobody has made. */
  readonly missing: readonly string[]
  /** That carry its label. */
  readonly labelled: readonly KubeObject[]
  /** All that there is of it. */
  readonly found: readonly TenantObject[]
  readonly usage: TenantUsage
  /** ClusterRoles of people: NAME-admin and so on. */
  readonly userRoles: string
  /** What the API server would not have, when it was tried. */
  readonly refused: WriteRefusal | undefined
  readonly nowMs: number
}

export interface TenantDecision {
  /** `hold`: nothing is made before; `release`: nothing is left, or nobody waits any longer. */
  readonly finalizer: 'hold' | 'release' | 'keep'
  readonly label: readonly KubeObject[]
  readonly ensure: readonly TenantObject[]
  readonly remove: readonly TenantObject[]
  /** Namespaces that it no longer has. */
  readonly unlabel: readonly KubeObject[]
  /** `undefined`: as it is. */
  readonly status: StreamTenantStatus | undefined
  readonly againMs: number | undefined
}

/** What is still there then is left to the garbage collector: a tenant's end never hangs. */
const END_MAX_MS = 60_000

export function decideTenant(observed: ObservedTenant): TenantDecision {
  const { metadata } = observed.tenant.object
  if (metadata.deletionTimestamp !== undefined) return ending(observed)
  const usable = observed.namespaces.filter(one => one.metadata.deletionTimestamp === undefined)
  const names = usable.map(one => one.metadata.name)
  const { tenant, userRoles } = observed
  const ensure = names.flatMap(name => tenantObjects(tenant, name, userRoles))
  const wanted = new Set(ensure.map(placeOf))
  return {
    finalizer: isHeld(metadata, FINALIZER) ? 'keep' : 'hold',
    label: usable.map(one => namespaceLabels(tenant, one)),
    ensure,
    // A spec that cannot be read changes nothing.
    remove:
      tenant.spec === undefined ? [] : observed.found.filter(one => !wanted.has(placeOf(one))),
    unlabel:
      tenant.spec === undefined
        ? []
        : observed.labelled.filter(one => !names.includes(one.metadata.name)),
    status: statusOf(observed),
    againMs: observed.refused && retryAfterMs(refusedForMs(observed)),
  }
}

/** Jobs run on: their namespaces only belong to nobody. */
function ending(observed: ObservedTenant): TenantDecision {
  const { tenant, found, labelled, nowMs } = observed
  const { deletionTimestamp = '' } = tenant.object.metadata
  const leftMs = Date.parse(deletionTimestamp) + END_MAX_MS - nowMs
  const isOver = found.length === 0 && labelled.length === 0
  return {
    finalizer: isOver || isForced(tenant.object.metadata) || leftMs <= 0 ? 'release' : 'keep',
    label: [],
    ensure: [],
    remove: found,
    unlabel: labelled,
    status: undefined,
    againMs: Math.max(1_000, leftMs),
  }
}

function placeOf({ kind, object: { metadata } }: TenantObject): string {
  return `${kind}/${metadata.namespace}/${metadata.name}`
}

function statusOf(observed: ObservedTenant): StreamTenantStatus {
  const { tenant, namespaces, usage, nowMs } = observed
  const { status = {}, metadata } = tenant.object
  const { used, queued, parked } = usage
  const { generation = 0 } = metadata
  return {
    ...status,
    observedGeneration: generation,
    usage: {
      jobs: used.jobs,
      slots: used.slots,
      cpu: amountText('cpu', used.cpu),
      memory: amountText('memory', used.memory),
    },
    jobs: { admitted: used.jobs, queued, parked },
    namespaces: namespaces.map(one => one.metadata.name).slice(0, NAMESPACES_MAX),
    conditions: conditionsOf({
      before: status.conditions,
      known: tenantConditions,
      findings: findingsOf(observed),
      generation,
      nowMs,
    }),
  }
}

const NAMESPACES_MAX = 256

const tenantConditions = ['Ready', 'NamespaceConflict', 'Stalled'] as const

type TenantFinding = FindingOf<(typeof tenantConditions)[number]>

function refusedForMs({ tenant, nowMs }: ObservedTenant): number {
  const before = tenant.object.status?.conditions?.find(one => one.type === 'Stalled')
  return before === undefined ? 0 : nowMs - Date.parse(before.lastTransitionTime)
}

function findingsOf(observed: ObservedTenant): TenantFinding[] {
  const { tenant, namespaces, conflicts, missing, refused } = observed
  if (tenant.spec === undefined) {
    const message = 'the spec cannot be read: the CRDs are of another version than the controller'
    return [
      { type: 'Stalled', holds: true, reason: 'SpecInvalid', message },
      { type: 'Ready', holds: false, reason: 'SpecInvalid', message },
    ]
  }
  if (refused !== undefined) {
    const { reason, message } = refused
    return [
      { type: 'Stalled', holds: true, reason, message },
      { type: 'Ready', holds: false, reason, message },
    ]
  }
  if (conflicts.length > 0) {
    const taken = conflicts.map(({ namespace, owner }) => `${namespace} is ${owner}'s`).join(', ')
    const message = `${taken}: an older tenant keeps a namespace; take it out of one of them`
    return [
      { type: 'NamespaceConflict', holds: true, reason: 'NamespaceConflict', message },
      { type: 'Ready', holds: false, reason: 'NamespaceConflict', message },
    ]
  }
  if (missing.length > 0) {
    const message = `no namespace ${missing.join(', ')}: make it, or take it out of the tenant`
    return [{ type: 'Ready', holds: false, reason: 'NamespaceMissing', message }]
  }
  const message = `${namespaces.length} namespaces are as they are to be`
  return [{ type: 'Ready', holds: true, reason: 'NamespacesReady', message }]
}
