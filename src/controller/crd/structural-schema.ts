/**
 * Makes the structural schema of a CRD from a zod schema: zod's own JSON Schema, less what
 * structural schemas do not know, with what each field says of itself (`served` in
 * `protocol/manifest-fields.ts`).
 */
import { z } from 'zod'
import { assertDefined } from '../../common/assert.ts'
import type { CelRule } from '../../protocol/manifest-fields.ts'

/** A node of an OpenAPI v3 schema, as CRDs have it. */
export interface StructuralSchema {
  type?: string
  description?: string
  default?: unknown
  properties?: Record<string, StructuralSchema>
  required?: string[]
  items?: StructuralSchema
  additionalProperties?: StructuralSchema
  'x-kubernetes-validations'?: CelRule[]
  [keyword: string]: unknown
}

export function structuralSchema(schema: z.ZodType): StructuralSchema {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      // A missing parent stands for all its defaults: rules may read each of them.
      if (zodSchema instanceof z.ZodPrefault) jsonSchema.default = zodSchema.parse(undefined)
    },
  })
  return reshape(made as StructuralSchema)
}

/** Adds a rule to the part that `at` leads to, as in `spec.autoscaler.windows[]`. */
export function addRule(root: StructuralSchema, at: string, rule: CelRule): void {
  const part = assertDefined(partAt(root, at), `the schema has ${at}`)
  part['x-kubernetes-validations'] = [...(part['x-kubernetes-validations'] ?? []), rule]
}

function partAt(root: StructuralSchema, at: string): StructuralSchema | undefined {
  let part: StructuralSchema | undefined = root
  for (const step of at === '' ? [] : at.split('.')) {
    part = part?.properties?.[step.replace(/\[\]$/, '')]
    if (step.endsWith('[]')) part = part?.items
  }
  return part
}

const droppedKeywords = ['$schema', 'expected', 'example', 'served', 'propertyNames', 'const']

/** Itself and all its parts, in place. */
function reshape(schema: StructuralSchema): StructuralSchema {
  const { served, const: only, type } = schema
  if (only !== undefined) schema.enum = [only]
  for (const keyword of droppedKeywords) delete schema[keyword]
  // The only union that manifests have: a whole number or a text.
  if (Array.isArray(type) || schema.anyOf !== undefined) {
    delete schema.type
    delete schema.anyOf
    schema['x-kubernetes-int-or-string'] = true
  }
  // The API server prunes what is not named, or refuses it when it is asked to be strict.
  const { additionalProperties: open } = schema
  if (typeof open === 'object' && Object.keys(open).length > 0) reshape(open)
  else delete schema.additionalProperties
  for (const part of Object.values(schema.properties ?? {})) reshape(part)
  if (schema.items !== undefined) reshape(schema.items)
  return Object.assign(schema, served)
}
