/** The columns of a Parquet file that hold the fields of a record: their schema, their cells. */
import type { SchemaElement } from 'hyparquet'
import { schemaErrors } from '../../schema/schema-errors.ts'
import type { SchemaNode } from '../../schema/type.ts'

export interface ParquetColumnPlan {
  readonly name: string
  /** The column itself, then what is below it, as Parquet lists a schema. */
  readonly elements: readonly SchemaElement[]
  readonly toCell: ToCell
}

/** What the file holds of a value that the schema has let pass; null for none. */
type ToCell = (value: unknown) => unknown

type Leaf = Pick<SchemaElement, 'type' | 'converted_type'>
type Repetition = NonNullable<SchemaElement['repetition_type']>

const asIs: ToCell = value => value
const toInt64: ToCell = value => BigInt(value as number)

/**
 * Throws WEIR_SCHEMA_UNSUPPORTED for what a column cannot hold so that `parquet()` reads it back.
 */
export function planColumn(name: string, schema: SchemaNode): ParquetColumnPlan {
  return columnOf({ name, path: name, repetition_type: 'REQUIRED' }, schema)
}

interface Place {
  readonly name: string
  /** For messages. */
  readonly path: string
  readonly repetition_type: Repetition
}

function columnOf(place: Place, schema: SchemaNode): ParquetColumnPlan {
  const { name, path, repetition_type } = place
  switch (schema.kind) {
    case 'optional':
    case 'nullable': {
      const inner = columnOf({ ...place, repetition_type: 'OPTIONAL' }, schema.of)
      return { ...inner, toCell: value => (value == null ? null : inner.toCell(value)) }
    }
    case 'array': {
      const of = { name: 'element', path: `${path}[]`, repetition_type: 'REQUIRED' } as const
      const item = columnOf(of, schema.of)
      const elements: SchemaElement[] = [
        { name, repetition_type, converted_type: 'LIST', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...item.elements,
      ]
      return { name, elements, toCell: value => (value as unknown[]).map(item.toCell) }
    }
    case 'object': {
      const fields = schema.fields.map(field => {
        const at = `${path}.${field.name}`
        return columnOf({ name: field.name, path: at, repetition_type: 'REQUIRED' }, field.type)
      })
      const group: SchemaElement = { name, repetition_type, num_children: fields.length }
      const elements = [group, ...fields.flatMap(field => field.elements)]
      return { name, elements, toCell: value => cellsOf(value as object, fields) }
    }
    default: {
      const { leaf, toCell } = leafOf(schema, path)
      return { name, elements: [{ name, repetition_type, ...leaf }], toCell }
    }
  }
}

function cellsOf(value: object, fields: readonly ParquetColumnPlan[]): object {
  const held = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(fields.map(({ name, toCell }) => [name, toCell(held[name])]))
}

function leafOf(schema: SchemaNode, path: string): { leaf: Leaf; toCell: ToCell } {
  switch (schema.kind) {
    case 'string':
      return { leaf: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, toCell: asIs }
    case 'int32':
      return { leaf: { type: 'INT32' }, toCell: asIs }
    case 'int':
      return { leaf: { type: 'INT64' }, toCell: toInt64 }
    case 'int64':
      return { leaf: { type: 'INT64' }, toCell: asIs }
    case 'float64':
      return { leaf: { type: 'DOUBLE' }, toCell: asIs }
    case 'boolean':
      return { leaf: { type: 'BOOLEAN' }, toCell: asIs }
    case 'timestamp':
      return { leaf: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' }, toCell: toInt64 }
    case 'bytes':
      // A copy: the record's bytes may be of a batch that is read into again.
      return { leaf: { type: 'BYTE_ARRAY' }, toCell: value => (value as Uint8Array).slice() }
    case 'enum':
      return leafOfValues(schema.values, path)
    case 'literal':
      return leafOfValues([schema.value], path)
    default:
      throw unsupported(schema.kind, path)
  }
}

/** Of an enumeration: by what all of its values are. */
function leafOfValues(values: readonly unknown[], path: string) {
  const kinds = new Set(values.map(value => typeof value))
  const [kind] = kinds
  if (kinds.size === 1 && kind === 'string') return leafOf({ kind: 'string' }, path)
  if (kinds.size === 1 && kind === 'number') return leafOf({ kind: 'float64' }, path)
  if (kinds.size === 1 && kind === 'boolean') return leafOf({ kind: 'boolean' }, path)
  throw unsupported('enumeration of several types', path)
}

function unsupported(kind: string, path: string): Error {
  return schemaErrors.WEIR_SCHEMA_UNSUPPORTED({
    path,
    what: `a Parquet file cannot hold a ${kind} value`,
    hint: 'write fields of leaves, arrays and objects; or write the file as JSON lines',
  })
}
