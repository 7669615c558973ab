/** What the controller of StreamTenants watches and writes. */
import { kindWatcher, type Watch, type Watched, type WatcherOptions } from '../kube/kind-watcher.ts'
import type { KubeObject } from '../kube/kube-object.ts'
import { resourceKinds } from '../kube/resource-kind.ts'
import type { StreamTenantObject } from './stream-tenant-object.ts'
import { TENANCY_MANAGED, TENANCY_MANAGER, type TenantKind, tenantLabel } from './tenant-objects.ts'

export interface TenantWorld {
  readonly tenants: Watched<StreamTenantObject>
  readonly namespaces: Watched<KubeObject>
  /** Grouped by tenant, as the namespaces are. */
  readonly objects: Readonly<Record<TenantKind, Watched<KubeObject>>>
  readonly watches: readonly Watch[]
  readonly mayWrite: () => void
}

export function makeTenantWorld(options: WatcherOptions): TenantWorld {
  const shape = { manager: TENANCY_MANAGER, indexOf: tenantNameOf }
  const { watched, watches } = kindWatcher({ ...options, namespaces: [] }, shape)
  return {
    tenants: watched<StreamTenantObject>(resourceKinds.streamTenant),
    namespaces: watched(resourceKinds.namespace),
    objects: {
      resourceQuota: watched(resourceKinds.resourceQuota, { selector: TENANCY_MANAGED }),
      limitRange: watched(resourceKinds.limitRange, { selector: TENANCY_MANAGED }),
      networkPolicy: watched(resourceKinds.networkPolicy, { selector: TENANCY_MANAGED }),
      roleBinding: watched(resourceKinds.roleBinding, { selector: TENANCY_MANAGED }),
    },
    watches,
    mayWrite: options.mayWrite,
  }
}

export function tenantNameOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.[tenantLabel]
}
