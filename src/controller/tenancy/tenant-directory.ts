/**
 * Which namespace belongs to which tenant: by name or by label, and to one at most.
 *
 * D1: a namespace that several tenants want is the oldest one's; the others are told.
 */
import type { StreamTenantSpec } from '../../protocol/stream-tenant.ts'
import type { KubeObject } from '../kube/kube-object.ts'
import type { ObjectChange } from '../kube/object-cache.ts'
import { type StreamTenantObject, tenantSpecOf } from './stream-tenant-object.ts'

export interface Tenant {
  readonly name: string
  readonly object: StreamTenantObject
  /** `undefined`: it cannot be read, and has no namespace. */
  readonly spec: StreamTenantSpec | undefined
}

interface Place {
  readonly owner: string | undefined
  /** Those that want it too. */
  readonly others: readonly string[]
}

type Listener = (namespace: string, tenants: readonly string[]) => void

export class TenantDirectory {
  readonly #tenants = new Map<string, Tenant>()
  readonly #namespaces = new Map<string, KubeObject>()
  readonly #places = new Map<string, Place>()
  readonly #listeners: Listener[] = []

  tenant(name: string): Tenant | undefined {
    return this.#tenants.get(name)
  }

  tenants(): readonly Tenant[] {
    return [...this.#tenants.values()]
  }

  tenantOf(namespace: string): Tenant | undefined {
    const owner = this.#places.get(namespace)?.owner
    return owner === undefined ? undefined : this.#tenants.get(owner)
  }

  /** In the order of their names. */
  namespacesOf(tenant: string): readonly KubeObject[] {
    return this.#where(({ owner }) => owner === tenant)
  }

  /** Namespaces that the tenant asks for and another one has, with its name. */
  conflictsOf(tenant: string): readonly { readonly namespace: string; readonly owner: string }[] {
    return this.#where(({ others }) => others.includes(tenant)).map(({ metadata: { name } }) => {
      return { namespace: name, owner: this.#places.get(name)?.owner ?? '' }
    })
  }

  /** Told of each namespace whose owner changed, with the owners before and now. */
  onChange(listener: Listener): void {
    this.#listeners.push(listener)
  }

  followTenants(change: ObjectChange<StreamTenantObject>): void {
    const { key } = change
    const before = this.#tenants.get(key)?.spec
    const isGone = change.kind === 'gone' || change.now.metadata.deletionTimestamp !== undefined
    if (change.kind === 'gone') this.#tenants.delete(key)
    else this.#tenants.set(key, { name: key, object: change.now, spec: tenantSpecOf(change.now) })
    const now = isGone ? undefined : this.#tenants.get(key)?.spec
    for (const namespace of this.#namespaces.values()) {
      const isConcerned = [before, now].some(spec => spec !== undefined && wants(spec, namespace))
      if (isConcerned) this.#assign(namespace)
    }
  }

  followNamespaces(change: ObjectChange<KubeObject>): void {
    if (change.kind === 'gone') {
      this.#namespaces.delete(change.key)
      this.#place(change.key, { owner: undefined, others: [] })
      return
    }
    this.#namespaces.set(change.key, change.now)
    this.#assign(change.now)
  }

  #assign(namespace: KubeObject): void {
    const [owner, ...others] = [...this.#tenants.values()]
      .filter(({ object, spec }) => {
        const isLeaving = object.metadata.deletionTimestamp !== undefined
        return !isLeaving && spec !== undefined && wants(spec, namespace)
      })
      .toSorted(byAge)
      .map(({ name }) => name)
    this.#place(namespace.metadata.name, { owner, others })
  }

  #place(namespace: string, place: Place): void {
    const before = this.#places.get(namespace)
    if (place.owner === undefined) this.#places.delete(namespace)
    else this.#places.set(namespace, place)
    const all = [before?.owner, ...(before?.others ?? []), place.owner, ...place.others]
    const tenants = [...new Set(all)].filter(name => name !== undefined)
    const isSame =
      before?.owner === place.owner && String(before?.others ?? []) === String(place.others)
    if (isSame) return
    for (const listener of this.#listeners) listener(namespace, tenants)
  }

  #where(isWanted: (place: Place) => boolean): readonly KubeObject[] {
    return [...this.#places]
      .filter(([, place]) => isWanted(place))
      .map(([name]) => this.#namespaces.get(name))
      .filter(namespace => namespace !== undefined)
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  }
}

function wants({ namespaces }: StreamTenantSpec, { metadata }: KubeObject): boolean {
  const { names, selector } = namespaces
  if (names !== undefined) return names.includes(metadata.name)
  const isOfCluster = metadata.name === 'default' || metadata.name.startsWith('kube-')
  if (selector === undefined || isOfCluster) return false
  const labels = metadata.labels ?? {}
  return Object.entries(selector.matchLabels).every(([name, value]) => labels[name] === value)
}

function byAge({ object: { metadata: one } }: Tenant, { object: { metadata: other } }: Tenant) {
  const [a = '', b = ''] = [one.creationTimestamp, other.creationTimestamp]
  if (a !== b) return a < b ? -1 : 1
  return one.name < other.name ? -1 : 1
}
