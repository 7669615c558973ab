/** Refuses schemas that JSON cannot carry, before any record flows. */
import { schemaErrors } from './schema-errors.ts'
import type { TypeNode } from './type-node.ts'
import { joinPath } from './value-test.ts'

/** Throws WEIR_SCHEMA_UNSUPPORTED, naming the path. */
export function requireJson(node: TypeNode, path = ''): void {
  if (node.json === 'none') {
    throw schemaErrors.WEIR_SCHEMA_UNSUPPORTED({
      path: path === '' ? 'the value' : path,
      what: `zod's own ${node.kind === 'int64' ? 'bigint' : node.kind} has no form in JSON`,
      hint: node.kind === 'map' ? "use z.map() of Weir's z" : "use z.int64() of Weir's z",
    })
  }
  if (node.json === 'opaque') return
  switch (node.kind) {
    case 'optional':
    case 'nullable':
      requireJson(node.of, path)
      return
    case 'array':
    case 'dictionary':
      requireJson(node.of, `${path}[]`)
      return
    case 'tuple':
      for (const item of node.items) requireJson(item, `${path}[]`)
      return
    case 'map':
      requireJson(node.key, `${path}[]`)
      requireJson(node.value, `${path}[]`)
      return
    case 'object':
      for (const field of node.fields) requireJson(field.node, joinPath(path, field.name))
      return
    case 'union':
      for (const variant of node.variants) requireJson(variant, path)
      return
    default:
      return
  }
}
