import { isAscii } from 'node:buffer'
import type { Decoder } from '../../schema/format.ts'
import { objectLiteral, SourceBuilder } from '../../schema/source-builder.ts'
import type { ObjectField, ObjectNode } from '../../schema/type-node.ts'
import type { z } from '../../schema/z.ts'
import { rowCheck, unfit } from './column-value.ts'
import { splitCsv } from './csv-fields.ts'
import { fileErrors } from './file-errors.ts'
import { textConverter } from './text-value.ts'

export interface CsvDecoderOptions {
  readonly node: ObjectNode
  readonly delimiter: string
  readonly quote: string
  /** The columns of the file, unless it has a header. */
  readonly columns: readonly string[]
  readonly header: string | undefined
  /** For messages. */
  readonly path: string
}

type MakeRow<T> = (fields: readonly string[]) => T

export class CsvDecoder<T> implements Decoder<T> {
  readonly #options: CsvDecoderOptions
  readonly #columnCount: number
  readonly #makeRow: MakeRow<T>
  readonly #check: ((row: unknown) => void) | undefined
  readonly #fields: string[] = []
  #buffer: Buffer = Buffer.alloc(0)
  #text = ''
  #ascii = true

  /** Throws WEIR_FILE_COLUMN_MISSING. */
  constructor(options: CsvDecoderOptions) {
    this.#options = options
    const { header, columns, delimiter, quote } = options
    const names = header === undefined ? columns : splitCsv(header, { delimiter, quote }, [])
    this.#columnCount = names.length
    this.#makeRow = rowMaker(
      options,
      names.map(name => name.trim()),
    )
    this.#check = rowCheck(options.node)
  }

  setBatch(buffer: Buffer): void {
    this.#buffer = buffer
    this.#text = buffer.toString('latin1')
    this.#ascii = isAscii(buffer)
  }

  read(start: number, end: number): T {
    const line = this.#ascii
      ? this.#text.substring(start, end)
      : this.#buffer.toString('utf8', start, end)
    const fields = splitCsv(line, this.#options, this.#fields)
    if (fields.length !== this.#columnCount) {
      const reason = `${fields.length} fields, the file has ${this.#columnCount} columns`
      throw unfit('the record', reason, line)
    }
    const row = this.#makeRow(fields)
    this.#check?.(row)
    return row
  }
}

/** Generated, so that all rows have one hidden class, with the fields in the schema's order. */
function rowMaker<T>(options: CsvDecoderOptions, columns: readonly string[]): MakeRow<T> {
  const b = new SourceBuilder()
  const entries = options.node.fields.map(field => {
    const at = columns.indexOf(field.name)
    if (at < 0) return [field.name, b.constant(absentValue(options, field, columns))] as const
    return [field.name, `${b.constant(converterOf(field))}(fields[${at}])`] as const
  })
  b.line(`return function makeRow(fields) { return (${objectLiteral(entries)}) }`)
  return b.compile()
}

function converterOf(field: ObjectField): (text: string) => unknown {
  const convert = textConverter(field.name, field.node)
  if (field.absent !== 'defaulted') return convert
  const schema = field.node.zod as unknown as z.ZodType
  return text => (text === '' ? schema.parse(undefined) : convert(text))
}

function absentValue(
  { path }: CsvDecoderOptions,
  field: ObjectField,
  columns: readonly string[],
): unknown {
  if (field.absent === 'required') {
    throw fileErrors.WEIR_FILE_COLUMN_MISSING({ path, column: field.name, found: columns })
  }
  return (field.node.zod as unknown as z.ZodType).parse(undefined)
}
