/** Sizes that the writer and the reader of values must agree on. */
import { assert } from '../common/assert.ts'
import type { SchemaNode } from './type.ts'

/** Bytes of what has the same size in every value; of lists, text and the like: nothing. */
export function fixedSize(schema: SchemaNode): number {
  switch (schema.kind) {
    case 'int32':
      return 4
    case 'int':
    case 'int64':
    case 'float64':
    case 'timestamp':
      return 8
    case 'boolean':
    case 'optional':
    case 'nullable':
    case 'union':
      return 1
    case 'enum':
      return enumWidth(schema.values)
    case 'tuple':
      return sum(schema.items)
    case 'object':
      return sum(schema.fields.map(field => field.type))
    default:
      return 0
  }
}

/** True when every value takes the same number of bytes. */
export function isFixed(schema: SchemaNode): boolean {
  return FIXED.has(schema.kind)
}

const FIXED: ReadonlySet<string> = new Set([
  'int32',
  'int',
  'int64',
  'float64',
  'boolean',
  'timestamp',
  'null',
  'literal',
  'enum',
])

/** The fewest bytes that a value can take: bounds a count that comes from outside. */
export function leastSize(schema: SchemaNode): number {
  if (schema.kind === 'tuple') return total(schema.items.map(leastSize))
  if (schema.kind === 'object') return total(schema.fields.map(field => leastSize(field.type)))
  if (schema.kind === 'null' || schema.kind === 'literal') return 0
  return Math.max(1, fixedSize(schema))
}

function sum(schemas: readonly SchemaNode[]): number {
  return total(schemas.map(fixedSize))
}

function total(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all + size, 0)
}

/** Bytes of an enum's index. */
export function enumWidth(values: readonly (string | number)[]): 1 | 2 {
  assert(values.length <= 0x10000, 'an enum has at most 65,536 values')
  return values.length <= 0x100 ? 1 : 2
}

/** The values of the discriminator that belong to one variant. */
export function unionTags(
  variant: SchemaNode,
  discriminator: string,
): readonly (string | number | boolean | null)[] {
  assert(variant.kind === 'object', 'a variant of a union is an object')
  const tag = variant.fields.find(field => field.name === discriminator)?.type
  if (tag?.kind === 'literal') return [tag.value]
  assert(tag?.kind === 'enum', 'the discriminator is a literal or an enum')
  return tag.values
}
