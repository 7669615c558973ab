import { checkManifest, type ManifestKind, withoutUnknown } from '../../protocol/manifest-issues.ts'
import {
  type StreamTenant,
  type StreamTenantSpec,
  type StreamTenantStatus,
  streamTenantSchema,
} from '../../protocol/stream-tenant.ts'
import { streamTenantRules } from '../../protocol/stream-tenant-rules.ts'
import type { KubeObject } from '../kube/kube-object.ts'

/** A StreamTenant as the API server has it. */
export interface StreamTenantObject extends KubeObject {
  readonly spec: unknown
  readonly status?: StreamTenantStatus
}

const kind: ManifestKind<StreamTenant> = { schema: streamTenantSchema, rules: streamTenantRules }

/** `undefined`: an older CRD let something through that this version cannot read. */
export function tenantSpecOf(object: StreamTenantObject): StreamTenantSpec | undefined {
  const { apiVersion, kind: name, metadata, spec } = object
  const manifest = { apiVersion, kind: name, metadata: { name: metadata.name }, spec }
  const checked = checkManifest(kind, withoutUnknown(streamTenantSchema, manifest))
  return 'manifest' in checked ? checked.manifest.spec : undefined
}
