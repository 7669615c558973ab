/** Whether the cluster serves the kinds of this version of Weir. */
import type { Logger } from '../common/logger.ts'
import { crdDocument, SCHEMA_DIGEST } from './crd/custom-resource.ts'
import { customResources } from './crd/custom-resources.ts'
import { KubeClient } from './kube/kube-client.ts'
import type { KubeTransport } from './kube/kube-transport.ts'
import { resourceKinds } from './kube/resource-kind.ts'

export type CrdFinding = 'same' | 'other' | 'missing'

export interface ServedCrd {
  readonly name: string
  readonly finding: CrdFinding
}

export async function servedCrds(transport: KubeTransport): Promise<readonly ServedCrd[]> {
  const client = new KubeClient(transport, resourceKinds.crd)
  const found: ServedCrd[] = []
  for (const resource of customResources) {
    const { metadata } = crdDocument(resource)
    const served = await client.get({ name: metadata.name })
    const digest = served?.metadata.annotations?.[SCHEMA_DIGEST]
    const isSame = digest === metadata.annotations[SCHEMA_DIGEST]
    const finding = served === undefined ? 'missing' : isSame ? 'same' : 'other'
    found.push({ name: metadata.name, finding })
  }
  return found
}

/** One of another version still works: what it does not know is left out by the API server. */
export function warnOfCrds(crds: readonly ServedCrd[], logger: Logger): void {
  for (const { name, finding } of crds) {
    if (finding === 'missing') logger.error({ crd: name }, 'CRD is missing: apply crds/ of Weir')
    if (finding === 'other') logger.warn({ crd: name }, 'CRD is of another version of Weir')
  }
}
