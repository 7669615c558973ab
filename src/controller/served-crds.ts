/**
 * Whether the cluster serves the kinds of this version of Weir. A CRD of a newer version has all
 * that this one knows. With an older one the API server drops the fields that it does not know:
 * what lacks in a spec cannot be asked for, but a status is the memory of the controller.
 */
import { type CrdDocument, crdDocument, SCHEMA_DIGEST } from './crd/custom-resource.ts'
import { customResources } from './crd/custom-resources.ts'
import type { StructuralSchema } from './crd/structural-schema.ts'
import { KubeClient } from './kube/kube-client.ts'
import type { KubeObject } from './kube/kube-object.ts'
import type { KubeTransport } from './kube/kube-transport.ts'
import { resourceKinds } from './kube/resource-kind.ts'

/** `other`: of another version, which may be as good. */
export type CrdFinding = 'same' | 'other' | 'missing'

export interface ServedCrd {
  readonly name: string
  readonly finding: CrdFinding
  /** Paths that this version knows, as `status.upgrade`, and the served one does not. */
  readonly lacks: readonly string[]
}

type CrdObject = KubeObject & Partial<Pick<CrdDocument, 'spec'>>

export async function servedCrds(transport: KubeTransport): Promise<readonly ServedCrd[]> {
  const client = new KubeClient<CrdObject>(transport, resourceKinds.crd)
  const found: ServedCrd[] = []
  for (const resource of customResources) {
    const wanted = crdDocument(resource)
    found.push(compareCrd(wanted, await client.get({ name: wanted.metadata.name })))
  }
  return found
}

export function compareCrd(wanted: CrdDocument, served: CrdObject | undefined): ServedCrd {
  const { name, annotations } = wanted.metadata
  if (served === undefined) return { name, finding: 'missing', lacks: [] }
  const isSame = served.metadata.annotations?.[SCHEMA_DIGEST] === annotations[SCHEMA_DIGEST]
  const lacks = isSame ? [] : lackingIn(schemaOf(wanted), schemaOf(served), '')
  return { name, finding: isSame ? 'same' : 'other', lacks }
}

/** In words, why this version may not lead with these CRDs; `undefined`: it may. */
export function hindranceOf(crds: readonly ServedCrd[]): string | undefined {
  const texts = crds.flatMap(({ name, finding, lacks }) => {
    if (finding === 'missing') return [`${name} is missing`]
    const lost = lacks.filter(path => /^status\b/.test(path))
    return lost.length === 0 ? [] : [`${name} does not know ${lost.join(', ')}`]
  })
  if (texts.length === 0) return undefined
  return `the CRDs are older than the controller: ${texts.join('; ')}; apply crds/ of its version`
}

function schemaOf({ spec }: CrdObject): StructuralSchema {
  return spec?.versions[0]?.schema.openAPIV3Schema ?? {}
}

/** A part that is missing as a whole is named once. */
function lackingIn(wanted: StructuralSchema, served: StructuralSchema, at: string): string[] {
  if (served['x-kubernetes-preserve-unknown-fields'] === true) return []
  const known = new Set(served.enum as readonly unknown[] | undefined)
  const values = ((wanted.enum ?? []) as readonly unknown[]).filter(one => !known.has(one))
  return [
    ...(served.enum === undefined ? [] : values.map(value => `${at}: ${String(value)}`)),
    ...Object.entries(wanted.properties ?? {}).flatMap(([name, part]) => {
      const path = at === '' ? name : `${at}.${name}`
      const found = served.properties?.[name]
      return found === undefined ? [path] : lackingIn(part, found, path)
    }),
    ...lackingInside(wanted.items, served.items, `${at}[]`),
    ...lackingInside(wanted.additionalProperties, served.additionalProperties, `${at}.*`),
  ]
}

function lackingInside(
  wanted: StructuralSchema | undefined,
  served: StructuralSchema | undefined,
  at: string,
): string[] {
  return wanted === undefined ? [] : lackingIn(wanted, served ?? {}, at)
}
