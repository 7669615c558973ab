import type { KubeObject } from './kube-object.ts'

/** What applies a status, on a condition: who decided on an older object decides again. */
export function statusPatch({ apiVersion, kind, metadata }: KubeObject, status: object) {
  const { name, namespace, resourceVersion } = metadata
  const at = {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  }
  return { apiVersion, kind, metadata: at, status }
}
