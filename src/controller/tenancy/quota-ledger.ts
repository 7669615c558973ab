/**
 * What the jobs of each tenant hold of its quota, and who may have more.
 *
 * Owns        sums by namespace, made of the statuses of jobs, and the claims of this process.
 * Leaves out  who writes: a job is given room by the write of its status that has `reserved`.
 *
 * L1  A claim counts from its decision on, until a newer version of its job is known. The write
 *     behind it is bound to the version that was decided on: once a newer one is there, it has
 *     either happened, and is in it, or never will. So a lost answer admits nobody twice.
 * L2  Nobody is admitted before the caches were compared with the server after the lease was won:
 *     what the leader before has admitted is known then. Its last write has arrived by then, for
 *     it stops to write two seconds before its lease can be taken (`kube/leader-election.ts`).
 * L3  What has room keeps it: a smaller quota takes nothing away.
 */
import { assert } from '../../common/assert.ts'
import { keyOf } from '../kube/kube-object.ts'
import type { ObjectChange } from '../kube/object-cache.ts'
import type { StreamJobObject } from '../streamjob/stream-job-object.ts'
import { type Admission, planAdmission, type Quota, type Room, type Waiter } from './admission.ts'
import { bytes, type Demand, larger, minus, nothing, plus, thousandths } from './demand.ts'
import { demandOf, demandOfReserved } from './job-demand.ts'
import type { Tenant, TenantDirectory } from './tenant-directory.ts'

interface Account {
  readonly jobs: Map<string, { readonly object: StreamJobObject; readonly held: Demand }>
  readonly waiting: Map<string, Waiter>
  used: Demand
}

export interface TenantUsage {
  readonly used: Demand
  readonly queued: number
  readonly parked: number
}

export class QuotaLedger {
  readonly #directory: TenantDirectory
  readonly #accounts = new Map<string, Account>()
  /** By key of the job. */
  readonly #claims = new Map<string, Demand>()
  #isOpen = false
  #onRoom: (keys: readonly string[]) => void = () => {}
  #onUsage: (tenant: string) => void = () => {}

  constructor(directory: TenantDirectory) {
    this.#directory = directory
    directory.onChange((_namespace, tenants) => tenants.forEach(name => this.#changed(name, true)))
  }

  /** Told of waiting jobs that have room now, and of tenants whose sums changed. */
  follow(listeners: {
    readonly onRoom: (keys: readonly string[]) => void
    readonly onUsage: (tenant: string) => void
  }): void {
    this.#onRoom = listeners.onRoom
    this.#onUsage = listeners.onUsage
  }

  /** L2: the caches are as new as the lease. */
  open(): void {
    this.#isOpen = true
    for (const { name } of this.#directory.tenants()) this.wake(name)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  followJobs(change: ObjectChange<StreamJobObject>): void {
    const { key } = change
    const object = change.kind === 'gone' ? undefined : change.now
    const { namespace = '' } = (object ?? change.before)?.metadata ?? {}
    // L1: news is of a newer version than any that was decided on.
    this.#claims.delete(key)
    this.#enter(namespace, key, object)
  }

  /** Nothing changes by asking. */
  ask(object: StreamJobObject, demand: Demand, nowMs: number): Admission {
    const { namespace = '' } = object.metadata
    const tenant = this.#directory.tenantOf(namespace)
    if (tenant === undefined) return { kind: 'free' }
    if (!this.#isOpen) return { kind: 'unknown', tenant: tenant.name }
    const key = keyOf(object.metadata)
    const held = this.#accounts.get(namespace)?.jobs.get(key)?.held ?? nothing
    const waiting = this.#line(tenant.name).filter(one => one.key !== key)
    const room = this.#room(tenant)
    const asked = { ...waiterOf(object, nowMs), demand }
    const plan = planAdmission(
      { ...room, used: minus(room.used, held) },
      [...waiting, asked],
      nowMs,
    )
    const verdict = plan.get(key)
    assert(verdict !== undefined, `${key} has an answer`)
    return { ...verdict, tenant: tenant.name }
  }

  /** L1: called with the decision, before the write is sent. */
  claim(object: StreamJobObject, demand: Demand): void {
    const { namespace = '' } = object.metadata
    const key = keyOf(object.metadata)
    this.#claims.set(key, demand)
    this.#enter(namespace, key, object)
  }

  usageOf(tenant: string): TenantUsage {
    const accounts = this.#accountsOf(tenant)
    const jobs = accounts.flatMap(one => [...one.jobs.values()])
    return {
      used: this.#used(tenant),
      queued: accounts.reduce((sum, one) => sum + one.waiting.size, 0),
      parked: jobs.filter(({ object }) => object.status?.phase === 'Parked').length,
    }
  }

  /** Tells of those that have room now. */
  wake(tenant: string): void {
    const found = this.#directory.tenant(tenant)
    if (!this.#isOpen || found === undefined) return
    const line = this.#line(tenant)
    if (line.length === 0) return
    // Age matters only to who asks: here it is enough to wake too many.
    const plan = planAdmission(this.#room(found), line, 0)
    const keys = line.map(({ key }) => key).filter(key => plan.get(key)?.kind === 'admitted')
    if (keys.length > 0) this.#onRoom(keys)
  }

  #enter(namespace: string, key: string, object: StreamJobObject | undefined): void {
    const account = this.#accounts.get(namespace) ?? {
      jobs: new Map(),
      waiting: new Map(),
      used: nothing,
    }
    this.#accounts.set(namespace, account)
    const before = account.jobs.get(key)?.held ?? nothing
    const claimed = this.#claims.get(key) ?? nothing
    const held = object === undefined ? nothing : larger(heldBy(object), claimed)
    account.used = plus(minus(account.used, before), held)
    if (object === undefined) account.jobs.delete(key)
    else account.jobs.set(key, { object, held })
    const waited = account.waiting.get(key)
    const waits = object !== undefined && held.jobs === 0 && isInLine(object)
    if (waits) account.waiting.set(key, { ...waiterOf(object, 0), demand: demandOf(object.spec) })
    else account.waiting.delete(key)
    if (account.jobs.size === 0) this.#accounts.delete(namespace)
    const tenant = this.#directory.tenantOf(namespace)
    const isSame =
      isEqual(before, held) && isEqual(waited?.demand, account.waiting.get(key)?.demand)
    if (tenant === undefined || isSame) return
    const mayBeRoom = before.jobs > held.jobs || before.slots > held.slots || (waited && !waits)
    this.#changed(tenant.name, mayBeRoom === true)
  }

  #changed(tenant: string, mayBeRoom: boolean): void {
    this.#onUsage(tenant)
    if (mayBeRoom) this.wake(tenant)
  }

  #room({ name, spec }: Tenant): Room {
    return {
      quota: quotaOf(spec?.quota),
      used: this.#used(name),
      strategy: spec?.queue.strategy ?? 'best-effort-fifo',
      isHeld: spec?.admission !== 'open',
      queuedMax: spec?.queue.maxQueued ?? 0,
    }
  }

  #accountsOf(tenant: string): readonly Account[] {
    return this.#directory
      .namespacesOf(tenant)
      .flatMap(({ metadata }) => this.#accounts.get(metadata.name) ?? [])
  }

  #used(tenant: string): Demand {
    return this.#accountsOf(tenant).reduce((sum, one) => plus(sum, one.used), nothing)
  }

  #line(tenant: string): readonly Waiter[] {
    return this.#accountsOf(tenant).flatMap(one => [...one.waiting.values()])
  }
}

type QuotaField = NonNullable<Tenant['spec']>['quota']

export function quotaOf(quota: QuotaField = {}): Quota {
  const { jobs, slots, cpu, memory } = quota
  return {
    ...(jobs !== undefined && { jobs }),
    ...(slots !== undefined && { slots }),
    ...(cpu !== undefined && { cpu: thousandths(cpu) }),
    ...(memory !== undefined && { memory: bytes(memory) }),
  }
}

const atWork = new Set<string | undefined>([
  'Deploying',
  'Running',
  'Suspending',
  'Upgrading',
  'RollingBack',
])

/** A job that an earlier version has started holds what its spec says. */
function heldBy({ spec, status = {} }: StreamJobObject): Demand {
  if (status.reserved !== undefined) return demandOfReserved(status.reserved)
  return (status.epoch ?? 0) > 0 && atWork.has(status.phase) ? demandOf(spec) : nothing
}

function isInLine({ metadata, status }: StreamJobObject): boolean {
  return status?.queue !== undefined && metadata.deletionTimestamp === undefined
}

function waiterOf(object: StreamJobObject, nowMs: number): Omit<Waiter, 'demand'> {
  const { priority } = object.spec as { readonly priority?: unknown }
  const since = object.status?.queue?.since ?? object.metadata.creationTimestamp
  return {
    key: keyOf(object.metadata),
    priority: typeof priority === 'number' ? priority : 0,
    sinceMs: since === undefined ? nowMs : Date.parse(since),
  }
}

function isEqual(one: Demand | undefined, other: Demand | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
