/**
 * Made-up values of a type: enough to ask a pure user function what it makes of them, before there
 * are records.
 */
import type { SchemaNode } from '../schema/type.ts'

/** More differ in what a key selector would not look at. */
const SAMPLES_MAX = 4

/** Values that go through the variants of the type; none where nothing is known of it. */
export function sampleValues(schema: SchemaNode): readonly unknown[] {
  const count = Math.min(SAMPLES_MAX, variantsOf(schema))
  return Array.from({ length: count }, (_, turn) => sample(schema, turn))
}

/** How many samples it takes to see every variant once. */
function variantsOf(schema: SchemaNode): number {
  switch (schema.kind) {
    case 'general':
      return 0
    case 'enum':
      return schema.values.length
    case 'optional':
    case 'nullable':
      return Math.max(2, variantsOf(schema.of))
    case 'boolean':
      return 2
    case 'object':
      return Math.max(1, ...schema.fields.map(field => variantsOf(field.type)))
    case 'union':
      return Math.max(schema.variants.length, ...schema.variants.map(variantsOf))
    default:
      return 1
  }
}

function sample(schema: SchemaNode, turn: number): unknown {
  switch (schema.kind) {
    case 'string':
      return 'a'
    case 'int32':
    case 'int':
    case 'float64':
    case 'timestamp':
      return 1
    case 'int64':
      return 1n
    case 'boolean':
      return turn % 2 === 0
    case 'bytes':
      return new Uint8Array(1)
    case 'literal':
      return schema.value
    case 'enum':
      return schema.values[turn % schema.values.length]
    case 'optional':
      return turn % 2 === 0 ? sample(schema.of, turn) : undefined
    case 'nullable':
      return turn % 2 === 0 ? sample(schema.of, turn) : null
    case 'array':
      return [sample(schema.of, turn)]
    case 'general':
    case 'null':
      return null
    default:
      return sampleOfMany(schema, turn)
  }
}

type Many = Extract<
  SchemaNode,
  { readonly kind: 'tuple' | 'map' | 'dictionary' | 'object' | 'union' }
>

function sampleOfMany(schema: Many, turn: number): unknown {
  switch (schema.kind) {
    case 'tuple':
      return schema.items.map(item => sample(item, turn))
    case 'map':
      return new Map([[sample(schema.key, turn), sample(schema.value, turn)]])
    case 'dictionary':
      return { a: sample(schema.value, turn) }
    case 'object':
      return Object.fromEntries(schema.fields.map(({ name, type }) => [name, sample(type, turn)]))
    case 'union':
      return sample(schema.variants[turn % schema.variants.length] as SchemaNode, turn)
  }
}
