/**
 * Cells for small objects of numbers and booleans, such as the accumulator `{ count, sum }`: the
 * fields lie side by side in one typed array, an object is made at each read. A million of them are
 * nothing to the garbage collector, and reading one waits for memory once instead of three times.
 *
 * The code is generated from the schema, a class of its own for every state.
 */
import { objectLiteral, property, SourceBuilder } from '../../schema/source-builder.ts'
import type { SchemaNode, Type } from '../../schema/type.ts'
import type { ValueCells } from './value-cells.ts'
import { refuseValue } from './value-keeper.ts'

/** More fields than this share no cache line any more. */
const LEAVES_MAX = 8

/** Undefined for types of any other shape. */
export function makeRecordCells(type: Type<unknown>): ValueCells | undefined {
  const { schema } = type
  if (schema.kind !== 'object') return undefined
  const leaves = leavesOf(schema, 'value')
  if (leaves === undefined || leaves.length === 0 || leaves.length > LEAVES_MAX) return undefined
  const source = new SourceBuilder()
  const refuse = source.constant((value: unknown) => refuseValue(type, value), 'refuse')
  const width = leaves.length
  source.line(
    'return new (class RecordCells {',
    'isCopied = true',
    `width = ${width}`,
    `makeValues(slots) { return new Float64Array(slots * ${width}) }`,
    'get(generation, slot) {',
    `const values = generation.values, at = slot * ${width}`,
    `return ${literalOf(schema, { next: 0 })}`,
    '}',
    'keep(value) {',
    `if (${isMisfit(schema, 'value')}) ${refuse}(value)`,
    'return value',
    '}',
    'set(generation, slot, value) {',
    `const values = generation.values, at = slot * ${width}`,
    ...leaves.map((leaf, i) => `values[at + ${i}] = ${leaf}`),
    '}',
    '})()',
  )
  return source.compile<ValueCells>()
}

/** The expressions of all leaves in the order of the fields; undefined when one is no number. */
function leavesOf(schema: SchemaNode, value: string): string[] | undefined {
  if (schema.kind !== 'object') return isLeaf(schema) ? [value] : undefined
  const leaves: string[] = []
  for (const { name, type } of schema.fields) {
    // As a literal's key it would set the prototype.
    const inner = name === '__proto__' ? undefined : leavesOf(type, property(value, name))
    if (inner === undefined) return undefined
    leaves.push(...inner)
  }
  return leaves
}

function isLeaf({ kind }: SchemaNode): boolean {
  return (
    kind === 'int32' ||
    kind === 'int' ||
    kind === 'float64' ||
    kind === 'timestamp' ||
    kind === 'boolean'
  )
}

/** An object made of the cells from `place.next` on. */
function literalOf(schema: SchemaNode, place: { next: number }): string {
  if (schema.kind === 'object') {
    const fields = schema.fields.map(({ name, type }) => [name, literalOf(type, place)] as const)
    return objectLiteral(fields)
  }
  const cell = `values[at + ${place.next++}]`
  if (schema.kind === 'int32') return `${cell} | 0`
  return schema.kind === 'boolean' ? `${cell} === 1` : cell
}

/** True of a value that its cells would change. */
function isMisfit(schema: SchemaNode, value: string): string {
  switch (schema.kind) {
    case 'object': {
      const isNone = `typeof ${value} !== 'object' || ${value} === null`
      const fields = schema.fields.map(({ name, type }) => isMisfit(type, property(value, name)))
      return [isNone, ...fields].join(' || ')
    }
    case 'int32':
      return `(${value} | 0) !== ${value}`
    case 'float64':
      return `typeof ${value} !== 'number'`
    case 'boolean':
      return `typeof ${value} !== 'boolean'`
    default:
      return `!Number.isSafeInteger(${value})`
  }
}
