/** One CSV record in its fields. */
import { unfit } from './column-value.ts'

export interface CsvDialect {
  readonly delimiter: string
  readonly quote: string
}

/**
 * Splits one record, without its line end, into `fields`, which it returns. A quote within a field
 * that does not begin with one is an ordinary character. Throws WEIR_RECORD_UNPARSABLE.
 */
export function splitCsv(record: string, dialect: CsvDialect, fields: string[]): string[] {
  const { delimiter, quote } = dialect
  fields.length = 0
  const quoted = record.includes(quote)
  let at = 0
  for (;;) {
    if (quoted && record.startsWith(quote, at)) {
      const close = closingQuote(record, quote, at + 1)
      const inner = record.slice(at + 1, close)
      fields.push(inner.includes(quote) ? inner.replaceAll(quote + quote, quote) : inner)
      at = close + 1
      if (at < record.length && !record.startsWith(delimiter, at)) {
        throw unfit('the record', `character ${at + 1} follows a closing quote`, record)
      }
    } else {
      const end = record.indexOf(delimiter, at)
      fields.push(end < 0 ? record.slice(at) : record.slice(at, end))
      at = end < 0 ? record.length : end
    }
    if (at >= record.length) return fields
    at += delimiter.length
  }
}

function closingQuote(record: string, quote: string, from: number): number {
  let at = record.indexOf(quote, from)
  while (at >= 0 && record.startsWith(quote, at + 1)) at = record.indexOf(quote, at + 2)
  if (at < 0) throw unfit('the record', 'a quote is left open', record)
  return at
}
