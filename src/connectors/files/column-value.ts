/**
 * Values of columns (CSV text, Parquet cells) as the schema wants them: the same values that a JSON
 * record with them would give, with the same checks.
 */
import { schemaErrors } from '../../schema/schema-errors.ts'
import type { LeafNode, ObjectNode, TypeNode, ZodCheck } from '../../schema/type-node.ts'
import { z } from '../../schema/z.ts'

/** Makes the field's value. Throws WEIR_RECORD_UNPARSABLE, naming the column. */
export type ColumnConverter = (cell: unknown) => unknown

/** Converts what a Parquet file holds: numbers, bigints, strings, bytes, arrays, objects. */
export function cellConverter(column: string, node: TypeNode): ColumnConverter {
  if (node.json === 'opaque') return zodConverter(column, node)
  const convert = kindConverter(column, node)
  const others = node.checks.filter(check => !isRange(check))
  if (others.length === 0) return convert
  const schema = node.zod as unknown as z.ZodType
  return cell => {
    const value = convert(cell)
    // Checks hold for the value itself, so it is the side that is encoded.
    const result = z.safeEncode(schema, value)
    if (!result.success) throw unfit(column, result.error.issues[0]?.message ?? 'refused', cell)
    return value
  }
}

/** The checks of the object as a whole, after its fields; `undefined` when there are none. */
export function rowCheck(node: ObjectNode): ((row: unknown) => void) | undefined {
  if (node.checks.length === 0) return undefined
  const schema = node.zod as unknown as z.ZodType
  return row => {
    const result = z.safeEncode(schema, row)
    if (!result.success) {
      const excerpt = JSON.stringify(row) ?? ''
      throw unfit('the record', result.error.issues[0]?.message ?? 'refused', excerpt)
    }
  }
}

/** The rules of a schema that only zod knows: coercions, codecs of the user, fallbacks. */
function zodConverter(column: string, node: TypeNode): ColumnConverter {
  const schema = node.zod as unknown as z.ZodType
  return cell => {
    const result = schema.safeParse(cell ?? undefined)
    if (!result.success) throw unfit(column, result.error.issues[0]?.message ?? 'refused', cell)
    return result.data
  }
}

function kindConverter(column: string, node: TypeNode): ColumnConverter {
  switch (node.kind) {
    case 'optional': {
      const inner = cellConverter(column, node.of)
      return cell => (cell == null ? undefined : inner(cell))
    }
    case 'nullable': {
      const inner = cellConverter(column, node.of)
      return cell => (cell == null ? null : inner(cell))
    }
    case 'array': {
      const inner = cellConverter(column, node.of)
      return cell => Array.from(iterable(column, cell), inner)
    }
    case 'object': {
      const fields = node.fields.map(field => ({
        name: field.name,
        convert: cellConverter(`${column}.${field.name}`, field.node),
      }))
      return cell => {
        const held = objectOf(column, cell)
        return Object.fromEntries(fields.map(({ name, convert }) => [name, convert(held[name])]))
      }
    }
    case 'dictionary': {
      const inner = cellConverter(column, node.of)
      return cell =>
        Object.fromEntries(
          Object.entries(objectOf(column, cell)).map(([key, held]) => [key, inner(held)]),
        )
    }
    case 'choice': {
      const values = new Set<unknown>(node.values)
      return cell => {
        const value = typeof cell === 'bigint' ? Number(cell) : cell
        if (!values.has(value)) throw unfit(column, `expected ${[...values].join(' or ')}`, cell)
        return value
      }
    }
    case 'tuple':
    case 'map':
    case 'union':
      throw schemaErrors.WEIR_SCHEMA_UNSUPPORTED({
        path: column,
        what: `a column cannot hold a ${node.kind}`,
        hint: 'use a leaf, an array or an object; or read the file as JSON lines',
      })
    default:
      return leafConverter(column, node)
  }
}

function leafConverter(column: string, node: LeafNode): ColumnConverter {
  switch (node.kind) {
    case 'string':
      return cell => {
        if (typeof cell === 'string') return cell
        // Some writers do not mark text as such.
        if (cell instanceof Uint8Array) return Buffer.from(cell).toString()
        throw unfit(column, 'expected a string', cell)
      }
    case 'int32':
      return numberConverter(column, node.checks, { lowest: -(2 ** 31), highest: 2 ** 31 - 1 })
    case 'int':
    case 'timestamp':
      return numberConverter(column, node.checks, {
        lowest: Number.MIN_SAFE_INTEGER,
        highest: Number.MAX_SAFE_INTEGER,
      })
    case 'float64':
      return floatConverter(column, node.checks)
    case 'int64':
      return cell => {
        if (typeof cell === 'bigint' && BigInt.asIntN(64, cell) === cell) return cell
        if (Number.isSafeInteger(cell)) return BigInt(cell as number)
        throw unfit(column, 'expected an integer of 64 bits', cell)
      }
    case 'boolean':
      return cell => {
        if (typeof cell === 'boolean') return cell
        throw unfit(column, 'expected a boolean', cell)
      }
    case 'bytes':
      return cell => {
        if (cell instanceof Uint8Array) return Buffer.from(cell)
        throw unfit(column, 'expected bytes', cell)
      }
    case 'null':
      return cell => {
        if (cell == null) return null
        throw unfit(column, 'expected nothing', cell)
      }
    case 'general':
      return cell => cell
  }
}

interface NumberRange {
  readonly lowest: number
  readonly highest: number
}

function numberConverter(
  column: string,
  checks: readonly ZodCheck[],
  kind: NumberRange,
): ColumnConverter {
  const { lowest, highest } = narrowed(kind, checks)
  return cell => {
    const value = typeof cell === 'bigint' ? Number(cell) : cell
    if (Number.isInteger(value) && (value as number) >= lowest && (value as number) <= highest) {
      return value
    }
    throw unfit(column, `expected an integer from ${lowest} to ${highest}`, cell)
  }
}

function floatConverter(column: string, checks: readonly ZodCheck[]): ColumnConverter {
  const all = { lowest: Number.NEGATIVE_INFINITY, highest: Number.POSITIVE_INFINITY }
  const { lowest, highest } = narrowed(all, checks)
  return cell => {
    const value = typeof cell === 'bigint' ? Number(cell) : cell
    // NaN is a double too, and passes unless the schema sets a bound.
    const fits = typeof value === 'number' && !(value < lowest) && !(value > highest)
    if (fits && (!Number.isNaN(value) || checks.length === 0)) return value
    throw unfit(column, 'expected a number within the bounds of the schema', cell)
  }
}

/** Formats and inclusive bounds are checked here; everything else is left to zod. */
function isRange(check: ZodCheck): boolean {
  const { check: name, inclusive } = check._zod.def
  if (name === 'number_format') return true
  return (name === 'greater_than' || name === 'less_than') && inclusive === true
}

function narrowed(range: NumberRange, checks: readonly ZodCheck[]): NumberRange {
  let { lowest, highest } = range
  for (const { _zod } of checks) {
    const bound = Number(_zod.def.value)
    if (_zod.def.format === 'uint32') {
      lowest = Math.max(lowest, 0)
      highest = Math.min(highest, 2 ** 32 - 1)
    }
    if (_zod.def.check === 'greater_than') lowest = Math.max(lowest, bound)
    if (_zod.def.check === 'less_than') highest = Math.min(highest, bound)
  }
  return { lowest, highest }
}

function iterable(column: string, cell: unknown): Iterable<unknown> {
  if (Array.isArray(cell) || ArrayBuffer.isView(cell)) return cell as Iterable<unknown> & object
  throw unfit(column, 'expected a list', cell)
}

function objectOf(column: string, cell: unknown): { readonly [key: string]: unknown } {
  if (typeof cell === 'object' && cell !== null) return cell as { [key: string]: unknown }
  throw unfit(column, 'expected an object', cell)
}

const EXCERPT_MAX = 120

export function unfit(column: string, reason: string, cell: unknown): Error {
  const text = typeof cell === 'string' ? JSON.stringify(cell) : String(cell)
  return schemaErrors.WEIR_RECORD_UNPARSABLE({
    path: column,
    reason,
    excerpt: text.slice(0, EXCERPT_MAX),
  })
}
