/**
 * Cells for small objects of numbers and booleans, such as the accumulator `{ count, sum }`: the
 * fields lie side by side in one typed array, an object is made at each read. A million of them are
 * nothing to the garbage collector, and reading one waits for memory once instead of three times.
 *
 * The code is generated from the schema, a class of its own for every state.
 */
import { objectLiteral, property, SourceBuilder } from '../../schema/source-builder.ts'
import type { SchemaNode, Type } from '../../schema/type.ts'
import { fixedSize } from '../../schema/value-layout.ts'
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
    `width = ${width}`,
    `makeValues(slots) { return new Float64Array(slots * ${width}) }`,
    'holds() { return false }',
    'get(generation, slot) {',
    `const values = generation.values, at = slot * ${width}`,
    `return ${literalOf(schema, { next: 0 })}`,
    '}',
    `lent = ${literalOf(schema, undefined)}`,
    'lend(generation, slot) {',
    `const value = this.lent, values = generation.values, at = slot * ${width}`,
    ...leaves.map((leaf, i) => `${leaf.path} = ${read(leaf.kind, i)}`),
    'return value',
    '}',
    'keep(value) {',
    `if (${isMisfit(schema, 'value')}) ${refuse}(value)`,
    'return value',
    '}',
    'set(generation, slot, value) {',
    `const values = generation.values, at = slot * ${width}`,
    ...leaves.map(({ path }, i) => `values[at + ${i}] = ${path}`),
    '}',
    '})()',
  )
  const code = { lines: writeLines(leaves, width), bytes: fixedSize(schema) }
  return Object.assign(source.compile<ValueCells>(), { code })
}

/** As `makeValueWriter` lays an object out: field by field, without padding. */
function writeLines(leaves: readonly Leaf[], width: number): string[] {
  return leaves.map(({ kind }, i) => {
    const cell = `values[slot * ${width} + ${i}]`
    switch (kind) {
      case 'int32':
        return `data.setInt32(p, ${cell}, true); p += 4`
      case 'boolean':
        return `data.setUint8(p++, ${cell})`
      default:
        return `data.setFloat64(p, ${cell}, true); p += 8`
    }
  })
}

/** A number or a boolean somewhere in the object. */
interface Leaf {
  /** The expression that reads it from `value`. */
  readonly path: string
  readonly kind: SchemaNode['kind']
}

/** All leaves in the order of the fields; undefined when one is anything else. */
function leavesOf(schema: SchemaNode, path: string): Leaf[] | undefined {
  if (schema.kind !== 'object') return isLeaf(schema) ? [{ path, kind: schema.kind }] : undefined
  const leaves: Leaf[] = []
  for (const { name, type } of schema.fields) {
    // As a literal's key it would set the prototype.
    const inner = name === '__proto__' ? undefined : leavesOf(type, property(path, name))
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

/** An object made of the cells from `place.next` on; without a place, of values of the kinds. */
function literalOf(schema: SchemaNode, place: { next: number } | undefined): string {
  if (schema.kind === 'object') {
    const fields = schema.fields.map(({ name, type }) => [name, literalOf(type, place)] as const)
    return objectLiteral(fields)
  }
  if (place !== undefined) return read(schema.kind, place.next++)
  // A fraction: V8 then keeps the field as a double from the start.
  return { int32: '0', boolean: 'false' }[schema.kind as string] ?? '0.5'
}

function read(kind: SchemaNode['kind'], leaf: number): string {
  const cell = `values[at + ${leaf}]`
  if (kind === 'int32') return `${cell} | 0`
  return kind === 'boolean' ? `${cell} === 1` : cell
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
