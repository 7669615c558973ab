import type { ByteWriter } from '../../common/bytes.ts'
import type { Encoder } from '../../schema/format.ts'
import type { ObjectNode, TypeNode } from '../../schema/type-node.ts'
import type { CsvDialect } from './csv-fields.ts'

interface CsvField {
  readonly name: string
  readonly textOf: (value: unknown) => string
}

/** Writes the fields in the schema's order; what a reader could misread goes in quotes. */
export class CsvEncoder<T> implements Encoder<T> {
  readonly #fields: readonly CsvField[]
  readonly #dialect: CsvDialect

  constructor(node: ObjectNode, dialect: CsvDialect) {
    this.#fields = node.fields.map(({ name, node: type }) => ({
      name,
      textOf: isIsoTime(type) ? isoText : fieldText,
    }))
    this.#dialect = dialect
  }

  write(out: ByteWriter, value: T): void {
    const held = value as { readonly [name: string]: unknown }
    const texts = this.#fields.map(field => field.textOf(held[field.name]))
    const line = csvLine(texts, this.#dialect)
    const most = line.length * 3
    out.reserve(most)
    out.length += out.buffer.write(line, out.length, most, 'utf8')
  }
}

export function csvLine(fields: readonly string[], dialect: CsvDialect): string {
  const { delimiter, quote } = dialect
  return fields
    .map(field => {
      const plain =
        !field.includes(delimiter) &&
        !field.includes(quote) &&
        !field.includes('\n') &&
        !field.includes('\r')
      return plain ? field : quote + field.replaceAll(quote, quote + quote) + quote
    })
    .join(delimiter)
}

function isIsoTime(node: TypeNode): boolean {
  if (node.kind === 'optional' || node.kind === 'nullable') return isIsoTime(node.of)
  return node.json === 'iso'
}

function isoText(value: unknown): string {
  return typeof value === 'number' ? new Date(value).toISOString() : ''
}

function fieldText(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'object') return JSON.stringify(value)
  return String(value as string | number | bigint | boolean)
}
