/**
 * CSV after RFC 4180: fields in quotes may hold the delimiter, line ends and doubled quotes. The
 * text is UTF-8; lines end with LF or CRLF.
 */
import type { Decoder, Encoder, Format } from '../../schema/format.ts'
import { schemaErrors } from '../../schema/schema-errors.ts'
import type { Type } from '../../schema/type.ts'
import type { ObjectNode } from '../../schema/type-node.ts'
import { typeOf } from '../../schema/type-of.ts'
import type { z } from '../../schema/z.ts'
import { isZodType } from '../../schema/zod-type.ts'
import { CsvDecoder } from './csv-decoder.ts'
import { CsvEncoder, csvLine } from './csv-encoder.ts'
import { fileErrors } from './file-errors.ts'

/** The dialect of a CSV file. */
export interface CsvOptions {
  /** One ASCII character; default `,`. */
  readonly delimiter?: string
  /** One ASCII character; default `"`. */
  readonly quote?: string
  /**
   * `true` (the default): the first line of each file names the columns, in any order, and may name
   * more than the schema has. A list: the file has no such line, these are its columns. `false`: it
   * has none, the columns are the schema's fields in their order.
   */
  readonly header?: boolean | readonly string[]
}

/** What the file connector needs to know of CSV beside records. */
export interface CsvFormat<T> extends Format<T> {
  readonly kind: 'csv'
  readonly delimiter: string
  readonly quote: string
  /** True when the first record of a file names its columns. */
  readonly hasHeader: boolean
  /** `header`: that first record, where there is one. */
  makeDecoder(header?: string, path?: string): Decoder<T>
  /** The first line of a file that is written, without its line end; `undefined`: none. */
  headerLine(): string | undefined
}

/**
 * CSV records of an object schema. Fields are read as their types say: numbers, `true`/`false`, ISO
 * 8601 or milliseconds for timestamps, base64 for bytes, JSON for arrays and objects. An empty
 * field is `undefined` or `null` where the schema allows it.
 */
export function csv<T extends object>(
  given: Type<T> | z.ZodType<T>,
  options: CsvOptions = {},
): CsvFormat<T> {
  const { delimiter = ',', quote = '"', header = true } = options
  requireCharacter('delimiter', delimiter)
  requireCharacter('quote', quote)
  const type = typeOf(given)
  const node = objectNodeOf(type, 'csv()')
  const names = node.fields.map(field => field.name)
  const dialect = { delimiter, quote }
  return {
    kind: 'csv',
    name: 'csv',
    type,
    ...dialect,
    hasHeader: header === true,
    makeDecoder(first?: string, path = 'the input'): Decoder<T> {
      const columns = Array.isArray(header) ? header : names
      return new CsvDecoder<T>({ node, ...dialect, columns, header: first, path })
    },
    makeEncoder(): Encoder<T> {
      return new CsvEncoder<T>(node, dialect)
    },
    headerLine: () => (header === true ? csvLine(names, dialect) : undefined),
  }
}

export function isCsvFormat<T>(format: Format<T>): format is CsvFormat<T> {
  return 'kind' in format && format.kind === 'csv'
}

/** The object behind a type: only named fields can be columns. */
export function objectNodeOf<T>(type: Type<T>, what: string): ObjectNode {
  if (isZodType(type) && type.node.kind === 'object') return type.node
  throw schemaErrors.WEIR_SCHEMA_UNSUPPORTED({
    path: 'the value',
    what: `${type.name} has no fields that could be columns`,
    hint: `give ${what} a record() or a z.object()`,
  })
}

function requireCharacter(option: string, value: string): void {
  if (/^[\x20-\x7e\t]$/.test(value)) return
  throw fileErrors.WEIR_FILE_OPTION_INVALID({
    option: `csv.${option}`,
    value: JSON.stringify(value),
    expected: 'one ASCII character',
  })
}
