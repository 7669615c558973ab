/** A schema in a few words, for plans and messages: `{auction: int32, price: float64}`. */
import type { FieldNode, SchemaNode } from './type.ts'

export function schemaName(schema: SchemaNode): string {
  switch (schema.kind) {
    case 'enum':
      return schema.values.map(value => JSON.stringify(value)).join(' | ')
    case 'literal':
      return JSON.stringify(schema.value)
    case 'optional':
      return `${schemaName(schema.of)} | undefined`
    case 'nullable':
      return `${schemaName(schema.of)} | null`
    case 'array':
      return `array<${schemaName(schema.of)}>`
    case 'tuple':
      return `[${schema.items.map(schemaName).join(', ')}]`
    case 'map':
      return `map<${schemaName(schema.key)}, ${schemaName(schema.value)}>`
    case 'dictionary':
      return `record<${schemaName(schema.value)}>`
    case 'object':
      return `{${schema.fields.map(fieldName).join(', ')}}`
    case 'union':
      return schema.variants.map(schemaName).join(' | ')
    default:
      return schema.kind
  }
}

function fieldName(field: FieldNode): string {
  return `${field.name}: ${schemaName(field.type)}`
}
