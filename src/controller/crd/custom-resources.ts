import type { CustomResource } from './custom-resource.ts'
import { savepointCrd } from './savepoint-crd.ts'
import { streamJobCrd } from './stream-job-crd.ts'
import { streamTenantCrd } from './stream-tenant-crd.ts'

/** Every kind that Weir adds to Kubernetes. */
export const customResources: readonly CustomResource[] = [
  streamJobCrd,
  savepointCrd,
  streamTenantCrd,
]
