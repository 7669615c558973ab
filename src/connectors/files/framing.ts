/** Where records begin and end in the bytes of a text file. */

/** A record's line feed ends it; the last record of a file may lack it. */
export interface Framing {
  /** The line feed that ends the record starting at `at`, or -1: it is not whole yet. */
  findEnd(buffer: Buffer, at: number): number
  /** True when a record cannot hold a line feed: a split may then begin anywhere. */
  readonly splittable: boolean
  /** True when a line without a character is a record too. */
  readonly emptyRecords: boolean
}

const LINE_FEED = 0x0a

export function lineFraming(emptyRecords: boolean): Framing {
  return { findEnd: (buffer, at) => buffer.indexOf(LINE_FEED, at), splittable: true, emptyRecords }
}

/**
 * Lines, except that a quoted field may hold line feeds. A quote counts at a field's start only.
 */
export function csvFraming(delimiter: number, quote: number): Framing {
  const findEnd = (buffer: Buffer, at: number): number => {
    let end = buffer.indexOf(LINE_FEED, at)
    // Most lines have no quote: looking for one only within the line keeps them cheap.
    let open = end < 0 ? -1 : indexWithin(buffer, { byte: quote, from: at, to: end })
    while (open >= 0) {
      let from = open + 1
      if (open === at || buffer[open - 1] === delimiter) {
        const close = closingQuote(buffer, quote, from)
        if (close < 0) return -1
        from = close + 1
        if (from > end) end = buffer.indexOf(LINE_FEED, from)
        if (end < 0) return -1
      }
      open = indexWithin(buffer, { byte: quote, from, to: end })
    }
    return end
  }
  return { findEnd, splittable: false, emptyRecords: false }
}

/** The quote that ends a field; a doubled one stands for itself. -1 when it is not there (yet). */
function closingQuote(buffer: Buffer, quote: number, from: number): number {
  let at = buffer.indexOf(quote, from)
  while (at >= 0 && buffer[at + 1] === quote) at = buffer.indexOf(quote, at + 2)
  // The last byte may be the first half of a doubled quote.
  return at === buffer.length - 1 ? -1 : at
}

function indexWithin(
  buffer: Buffer,
  search: { readonly byte: number; readonly from: number; readonly to: number },
): number {
  for (let i = search.from; i < search.to; i++) if (buffer[i] === search.byte) return i
  return -1
}
