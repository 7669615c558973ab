/** Rows out of the columns of a row group, by code generated for the schema. */
import { objectLiteral, SourceBuilder } from '../../schema/source-builder.ts'
import type { ObjectField, ObjectNode } from '../../schema/type-node.ts'
import type { z } from '../../schema/z.ts'
import { type ColumnConverter, cellConverter, rowCheck } from './column-value.ts'
import { fileErrors } from './file-errors.ts'
import type { ParquetColumn } from './parquet-file.ts'

/** The row `i` of the row group. Throws WEIR_RECORD_UNPARSABLE, naming the column. */
export type MakeRow<T> = (i: number) => T

/** Stands in a converted dictionary for a value that the schema refuses. */
const REFUSED = Symbol('refused')

export interface ColumnPlace {
  readonly path: string
  /** The columns that the file has. */
  readonly found: readonly string[]
}

interface FieldCells {
  readonly cells: ArrayLike<unknown>
  readonly indexes: Int32Array | undefined
  /** Makes a cell the field's value; throws for what the schema refuses. */
  readonly convert: (i: number) => unknown
}

type BindColumns<T> = (columns: readonly FieldCells[]) => MakeRow<T>

export class ParquetRowMaker<T> {
  readonly #node: ObjectNode
  readonly #converters: ReadonlyMap<string, ColumnConverter>
  /** One for each combination of coded, plain and missing columns: files seldom differ. */
  readonly #compiled = new Map<string, BindColumns<T>>()

  constructor(node: ObjectNode) {
    this.#node = node
    this.#converters = new Map(node.fields.map(field => [field.name, converterOf(field)]))
  }

  /** `file` is for messages. Throws WEIR_FILE_COLUMN_MISSING. */
  bind(columns: ReadonlyMap<string, ParquetColumn>, file: ColumnPlace): MakeRow<T> {
    const cells = this.#node.fields.map(field => {
      const column = columns.get(field.name)
      if (column === undefined) requireOptional(field, file)
      const convert = this.#converters.get(field.name) as ColumnConverter
      return bound(column ?? { cells: [], indexes: undefined }, convert)
    })
    const forms = this.#node.fields.map(({ name }) => formOf(columns.get(name))).join()
    let bind = this.#compiled.get(forms)
    if (bind === undefined) {
      bind = this.#compile(columns)
      this.#compiled.set(forms, bind)
    }
    return bind(cells)
  }

  #compile(columns: ReadonlyMap<string, ParquetColumn>): BindColumns<T> {
    const b = new SourceBuilder()
    const refused = b.constant(REFUSED)
    const lines: string[] = []
    b.line('return function bind(columns) {')
    const entries = this.#node.fields.map(({ name }, c) => {
      b.line(`const cells${c} = columns[${c}].cells, indexes${c} = columns[${c}].indexes`)
      b.line(`const convert${c} = columns[${c}].convert`)
      if (formOf(columns.get(name)) === 'coded') {
        lines.push(`let v${c} = cells${c}[indexes${c}[i]]`)
        lines.push(`if (v${c} === ${refused}) v${c} = convert${c}(i)`)
      } else {
        lines.push(`const v${c} = convert${c}(i)`)
      }
      return [name, `v${c}`] as const
    })
    const check = rowCheck(this.#node)
    b.line('return function makeRow(i) {', ...lines, `const row = ${objectLiteral(entries)}`)
    if (check !== undefined) b.line(`${b.constant(check)}(row)`)
    b.line('return row } }')
    return b.compile()
  }
}

function formOf(column: ParquetColumn | undefined): 'coded' | 'plain' | 'missing' {
  if (column === undefined) return 'missing'
  return column.indexes === undefined ? 'plain' : 'coded'
}

/** A dictionary is converted whole: once for each distinct value. */
function bound({ cells, indexes }: ParquetColumn, convert: ColumnConverter): FieldCells {
  if (indexes === undefined) return { cells, indexes, convert: i => convert(cells[i]) }
  const converted = Array.from(cells, cell => {
    try {
      return convert(cell)
    } catch {
      return REFUSED
    }
  })
  return { cells: converted, indexes, convert: i => convert(cells[indexes[i] as number]) }
}

/** A null is `undefined` here: the field's default takes its place. */
function converterOf(field: ObjectField): ColumnConverter {
  const convert = cellConverter(field.name, field.node)
  if (field.absent !== 'defaulted') return convert
  const schema = field.node.zod as unknown as z.ZodType
  return cell => (cell == null ? schema.parse(undefined) : convert(cell))
}

function requireOptional(field: ObjectField, { path, found }: ColumnPlace): void {
  if (field.absent !== 'required') return
  throw fileErrors.WEIR_FILE_COLUMN_MISSING({ path, column: field.name, found })
}
