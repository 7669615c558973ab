/** One pass over a tenant: observe, decide, act, and one write of the status. */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../common/clock.ts'
import type { EventWords } from '../kube/event-series.ts'
import { finalizerPatch, isHeld } from '../kube/finalizer.ts'
import type { KubeObject } from '../kube/kube-object.ts'
import type { Reconcile } from '../kube/work-loop.ts'
import { refusalIn } from '../kube/write-refusal.ts'
import { writeStatus as writeWhole } from '../kube/write-status.ts'
import { KNOWN_AFTER_MS, type NamespaceAccess } from '../namespace-access.ts'
import {
  decideTenant,
  FINALIZER,
  type ObservedTenant,
  type TenantDecision,
} from './decide-tenant.ts'
import type { QuotaLedger } from './quota-ledger.ts'
import type { Tenant, TenantDirectory } from './tenant-directory.ts'
import { namespaceWithout, TENANCY_MANAGER, type TenantKind } from './tenant-objects.ts'
import type { TenantWorld } from './tenant-world.ts'

export interface ReconcileTenantOptions {
  readonly world: TenantWorld
  readonly directory: TenantDirectory
  readonly ledger: QuotaLedger
  readonly access: Pick<NamespaceAccess, 'grantIn'> | undefined
  readonly userRoles: string
  readonly clock: Clock
  readonly record: (object: KubeObject, words: EventWords) => void
}

export function reconcileTenant(options: ReconcileTenantOptions): Reconcile {
  return async (key, signal) => {
    const tenant = options.directory.tenant(key)
    if (tenant === undefined) return undefined
    const observed = observe(tenant, options)
    const decision = decideTenant(observed)
    // Nothing is made that a deletion would not take away again. It is another version then.
    if (decision.finalizer === 'hold') {
      await setFinalizers(tenant, options, signal)
      return 0
    }
    if (await grant(decision, options, signal)) return KNOWN_AFTER_MS
    const refused = await refusalIn(() => act(decision, options, signal))
    const done = refused === undefined ? decision : decideTenant({ ...observed, refused })
    if (done.finalizer === 'release') await setFinalizers(tenant, options, signal)
    await writeStatus(observed, done, { options, signal })
    return done.againMs
  }
}

function observe(tenant: Tenant, options: ReconcileTenantOptions): ObservedTenant {
  const { world, directory, ledger, userRoles, clock } = options
  const { name, spec } = tenant
  const kinds = Object.keys(world.objects) as TenantKind[]
  return {
    tenant,
    namespaces: directory.namespacesOf(name),
    conflicts: directory.conflictsOf(name),
    missing: (spec?.namespaces.names ?? []).filter(
      namespace => world.namespaces.cache.get(namespace) === undefined,
    ),
    labelled: world.namespaces.cache.group(name),
    found: kinds.flatMap(kind =>
      world.objects[kind].cache.group(name).map(object => ({ kind, object })),
    ),
    usage: ledger.usageOf(name),
    userRoles,
    refused: undefined,
    nowMs: clock.now(),
  }
}

/** Whether a right to write is new somewhere: it is known everywhere soon after. */
async function grant(
  { label, unlabel }: TenantDecision,
  { access }: ReconcileTenantOptions,
  signal: AbortSignal,
): Promise<boolean> {
  let isNew = false
  for (const { metadata } of [...label, ...unlabel]) {
    isNew = ((await access?.grantIn(metadata.name, signal)) ?? false) || isNew
  }
  return isNew
}

async function act(
  { label, ensure, remove, unlabel }: TenantDecision,
  { world }: ReconcileTenantOptions,
  signal: AbortSignal,
): Promise<void> {
  for (const namespace of label) await world.namespaces.ensure(namespace, signal)
  for (const { kind, object } of ensure) await world.objects[kind].ensure(object, signal)
  for (const { kind, object } of remove) {
    await world.objects[kind].remove(object, undefined, signal)
  }
  for (const namespace of unlabel) {
    world.mayWrite()
    const { client, cache } = world.namespaces
    const plain = namespaceWithout(namespace)
    cache.set(await client.apply(plain, { manager: TENANCY_MANAGER, signal }))
  }
}

async function setFinalizers(
  { object }: Tenant,
  { world }: ReconcileTenantOptions,
  signal: AbortSignal,
): Promise<void> {
  const { metadata } = object
  world.mayWrite()
  const { client, cache } = world.tenants
  const change = metadata.deletionTimestamp === undefined ? 'add' : 'remove'
  const written = await client.patch(metadata, finalizerPatch(metadata, change, FINALIZER), signal)
  // The last finalizer takes the object with it: its end comes by the watch.
  if (isHeld(written.metadata, FINALIZER)) cache.set(written)
}

interface Pass {
  readonly options: ReconcileTenantOptions
  readonly signal: AbortSignal
}

async function writeStatus(
  { tenant }: ObservedTenant,
  { status }: TenantDecision,
  { options, signal }: Pass,
): Promise<void> {
  const { world, record } = options
  const { object } = tenant
  if (status === undefined || isDeepStrictEqual(status, object.status)) return
  world.mayWrite()
  const { client, cache } = world.tenants
  cache.set(await writeWhole(client, object, { status, manager: TENANCY_MANAGER, signal }))
  const now = troubleIn(status)
  if (now === undefined || now.message === troubleIn(object.status)?.message) return
  const { reason, message: note } = now
  record(object, { type: 'Warning', reason, action: 'Reconcile', note })
}

/** What somebody has to do something about. */
function troubleIn(status: TenantDecision['status']) {
  const named = (type: string) => status?.conditions?.find(one => one.type === type)
  return named('NamespaceConflict') ?? named('Stalled')
}
