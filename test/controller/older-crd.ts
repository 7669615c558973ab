/** A CRD as an older version of Weir might have made it. */
import { type CrdDocument, SCHEMA_DIGEST } from '../../src/controller/crd/custom-resource.ts'
import type { StructuralSchema } from '../../src/controller/crd/structural-schema.ts'

/** Without the fields that these paths lead to. */
export function olderCrd(crd: CrdDocument, without: readonly string[]): CrdDocument {
  const older = structuredClone(crd)
  older.metadata.annotations = { [SCHEMA_DIGEST]: 'of another version' }
  for (const path of without) {
    const steps = path.split('.')
    const last = steps.pop() ?? ''
    const { properties } = partOf(older, steps)
    if (properties?.[last] === undefined) throw new Error(`the CRD has no ${path}`)
    delete properties[last]
  }
  return older
}

/** The schema of a field. */
export function partOf({ spec }: CrdDocument, steps: readonly string[]): StructuralSchema {
  const root = spec.versions[0]?.schema.openAPIV3Schema ?? {}
  return steps.reduce<StructuralSchema>((part, step) => part.properties?.[step] ?? {}, root)
}
