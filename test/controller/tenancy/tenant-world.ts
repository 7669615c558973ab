/** Tenants, namespaces and jobs as tests of tenancy make them up. */
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import type { StreamTenantObject } from '../../../src/controller/tenancy/stream-tenant-object.ts'
import { TenantDirectory } from '../../../src/controller/tenancy/tenant-directory.ts'
import type { StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'

export function tenantOf(
  name: string,
  spec: object,
  metadata: Partial<KubeObject['metadata']> = {},
): StreamTenantObject {
  return {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamTenant',
    metadata: { name, uid: `uid-${name}`, generation: 1, ...metadata },
    spec,
  }
}

export function namespaceOf(name: string, labels: Readonly<Record<string, string>> = {}) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, uid: `uid-${name}`, labels } }
}

export function directoryOf(
  tenants: readonly StreamTenantObject[],
  namespaces: readonly KubeObject[],
): TenantDirectory {
  const directory = new TenantDirectory()
  for (const now of namespaces) setNamespace(directory, now)
  for (const now of tenants) setTenant(directory, now)
  return directory
}

export function setTenant(directory: TenantDirectory, now: StreamTenantObject): void {
  directory.followTenants({ kind: 'set', key: now.metadata.name, now, before: undefined })
}

export function setNamespace(directory: TenantDirectory, now: KubeObject): void {
  directory.followNamespaces({ kind: 'set', key: now.metadata.name, now, before: undefined })
}

export interface JobShape {
  readonly name: string
  readonly version: number
  readonly slots: number
  readonly priority?: number
  readonly status?: StreamJobStatus
}

/** Each slot takes a core and 1 GiB, its jobmanager half of either. */
export function jobOf({ name, version, slots, priority = 0, status }: JobShape): StreamJobObject {
  return {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { namespace: 'payments', name, uid: `uid-${name}`, resourceVersion: String(version) },
    spec: { job: { module: 'a.ts' }, parallelism: slots, priority },
    ...(status && { status }),
  }
}
