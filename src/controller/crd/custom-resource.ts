/**
 * A CustomResourceDefinition, made from the zod schemas of its kind (`protocol/`) and from what
 * only the API server needs: transition rules, columns, names, subresources.
 */
import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { celOf, type ManifestRule } from '../../protocol/manifest-rule.ts'
import { API_GROUP, API_VERSION } from '../../protocol/manifest-shape.ts'
import { addRule, type StructuralSchema, structuralSchema } from './structural-schema.ts'

/** A rule that only the API server holds: between old and new, or of the status. */
export interface ServerRule {
  readonly at: string
  readonly rule: string
  readonly message: string
}

export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly jsonPath: string
  /** 1: only with `-o wide`. */
  readonly priority?: 1
}

export interface CustomResource {
  readonly kind: string
  readonly plural: string
  readonly shortName: string
  readonly scope: 'Namespaced' | 'Cluster'
  readonly nameChars: number
  readonly spec: z.ZodType
  readonly status: z.ZodType
  readonly rules: readonly ManifestRule<never>[]
  readonly serverRules: readonly ServerRule[]
  readonly columns: readonly PrinterColumn[]
  readonly selectable: readonly string[]
  readonly scale?: Readonly<Record<string, string>>
}

/** The digest of the schema: tells the controller whether the cluster serves its own. */
export const SCHEMA_DIGEST = `${API_GROUP}/schema-digest`

export interface CrdDocument {
  readonly apiVersion: 'apiextensions.k8s.io/v1'
  readonly kind: 'CustomResourceDefinition'
  readonly metadata: { name: string; annotations: Record<string, string> }
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly versions: readonly { readonly schema: { openAPIV3Schema: StructuralSchema } }[]
  }
}

export function crdDocument(resource: CustomResource): CrdDocument {
  const { kind, plural, shortName, scope, columns, selectable, scale } = resource
  const version = {
    name: API_VERSION,
    served: true,
    storage: true,
    schema: { openAPIV3Schema: wholeSchema(resource) },
    subresources: { status: {}, ...(scale === undefined ? {} : { scale }) },
    additionalPrinterColumns: columns,
    selectableFields: selectable.map(jsonPath => ({ jsonPath })),
  }
  const spec = {
    group: API_GROUP,
    names: {
      kind,
      listKind: `${kind}List`,
      plural,
      singular: kind.toLowerCase(),
      shortNames: [shortName],
      categories: ['weir'],
    },
    scope,
    versions: [version],
  }
  const digest = createHash('sha256').update(JSON.stringify(spec)).digest('hex')
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${API_GROUP}`, annotations: { [SCHEMA_DIGEST]: digest } },
    spec,
  }
}

function wholeSchema(resource: CustomResource): StructuralSchema {
  const root: StructuralSchema = {
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structuralSchema(resource.spec),
      status: structuralSchema(resource.status),
    },
  }
  addRule(root, '', nameRule(resource.nameChars))
  for (const rule of resource.rules) addRule(root, rule.cel.at, celOf(rule))
  for (const { at, ...rule } of resource.serverRules) addRule(root, at, rule)
  return root
}

function nameRule(chars: number) {
  return {
    rule:
      `self.metadata.name.size() <= ${chars} && ` +
      `self.metadata.name.matches(r'^[a-z]([a-z0-9-]*[a-z0-9])?$')`,
    message:
      `metadata.name: expected a name of at most ${chars} small letters, ` +
      'digits and hyphens, a letter first',
  }
}
