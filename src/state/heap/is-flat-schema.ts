/**
 * Whether the values of a schema are of a few parts, so that encoding one whole is cheap: objects
 * of numbers and strings. A list may be long, and grow by one element at each write.
 */
import type { SchemaNode } from '../../schema/type.ts'

export function isFlatSchema(schema: SchemaNode): boolean {
  switch (schema.kind) {
    case 'array':
    case 'map':
    case 'dictionary':
    case 'general':
      return false
    case 'optional':
    case 'nullable':
      return isFlatSchema(schema.of)
    case 'tuple':
      return schema.items.every(isFlatSchema)
    case 'object':
      return schema.fields.every(({ type }) => isFlatSchema(type))
    case 'union':
      return schema.variants.every(isFlatSchema)
    default:
      return true
  }
}
