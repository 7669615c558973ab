/** The conditions under which a value is of a type, as generated code tests them. */
import { schemaErrors } from './schema-errors.ts'
import { schemaName } from './schema-name.ts'
import type { SchemaNode } from './type.ts'

/** A condition on the expression `value`; of lists and objects only the outside is looked at. */
export function isOfType(schema: SchemaNode, value: string): string {
  switch (schema.kind) {
    case 'string':
      return `typeof ${value} === 'string'`
    case 'int32':
      return `(${value} | 0) === ${value}`
    case 'int':
      return `Number.isSafeInteger(${value})`
    case 'int64':
      return `typeof ${value} === 'bigint' && BigInt.asIntN(64, ${value}) === ${value}`
    case 'float64':
    case 'timestamp':
      return `typeof ${value} === 'number'`
    case 'boolean':
      return `typeof ${value} === 'boolean'`
    case 'bytes':
      return `${value} instanceof Uint8Array`
    case 'null':
      return `${value} === null`
    case 'literal':
      return `${value} === ${JSON.stringify(schema.value)}`
    case 'array':
      return `Array.isArray(${value})`
    case 'tuple':
      return `Array.isArray(${value}) && ${value}.length <= ${schema.items.length}`
    case 'map':
      return `${value} instanceof Map`
    case 'object':
    case 'union':
    case 'dictionary':
      return `typeof ${value} === 'object' && ${value} !== null`
    default:
      return 'true'
  }
}

const NAME_MAX = 200
const EXCERPT_MAX = 80

/** Throws WEIR_VALUE_UNSERIALIZABLE. */
export function refuseValue(schema: SchemaNode, path: string, value: unknown): never {
  throw schemaErrors.WEIR_VALUE_UNSERIALIZABLE({
    path: path === '' ? 'the value' : path,
    type: schemaName(schema).slice(0, NAME_MAX),
    value: describe(value),
  })
}

/** A value in an error message; must not fail itself. */
function describe(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) {
    const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
    return text.length > EXCERPT_MAX ? `${text.slice(0, EXCERPT_MAX)}…` : text
  }
  return Array.isArray(value) ? `an array of ${value.length}` : 'an object'
}

export function joinPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
