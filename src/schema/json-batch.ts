/**
 * The bytes that a generated JSON reader is at work on, and what it needs seldom enough to be
 * shared code: strings with escapes, numbers with exponents, values to be skipped.
 *
 * Offsets are bytes of the batch. `text` is the batch as Latin-1, one character a byte: for ASCII
 * pieces, nearly all, `substring` of it is five times cheaper than a native call for each.
 */
import { blankEnd, digitsEnd, readIsoMillis } from './json-bytes.ts'

/** Past every batch: where the next backslash is when there is none. */
const NOWHERE = 0x7fff_ffff

/** Deeper values are left to JSON.parse. */
const DEPTH_MAX = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c

export class JsonBatch {
  /** The batch as given. */
  buffer: Buffer
  /** The batch and at least `slack` readable bytes behind it. */
  bytes: Uint8Array
  view: DataView
  text = ''
  /** Where the last helper stopped. */
  position = 0
  /** There is no backslash from `cleanFrom` to before `backslash`. */
  cleanFrom = 0
  backslash = NOWHERE
  readonly #slack: number
  #own: Buffer

  /** `slack`: how far behind the end of a batch the generated code may look. */
  constructor(slack: number) {
    this.#slack = slack
    this.#own = Buffer.alloc(slack)
    this.buffer = this.#own.subarray(0, 0)
    this.bytes = this.#own
    this.view = new DataView(this.#own.buffer)
  }

  set(buffer: Buffer): void {
    const size = buffer.length + this.#slack
    let source = buffer
    if (buffer.byteOffset + size > buffer.buffer.byteLength) {
      if (this.#own.length < size) this.#own = Buffer.alloc(size * 2)
      this.#own.set(buffer)
      source = this.#own
    }
    this.buffer = buffer
    this.bytes = new Uint8Array(source.buffer, source.byteOffset, size)
    this.view = new DataView(source.buffer, source.byteOffset, size)
    this.text = buffer.toString('latin1')
    this.findBackslash(0)
  }

  /** The first backslash at or after `from`. */
  findBackslash(from: number): number {
    const found = this.text.indexOf('\\', from)
    this.cleanFrom = from
    this.backslash = found < 0 ? NOWHERE : found
    return this.backslash
  }

  /** Whether nothing but white space is left. */
  isBlank(from: number, end: number): boolean {
    return from <= end && blankEnd(this.bytes, from, end) === end
  }

  /**
   * A string that is not plain ASCII: `start` is behind its opening quote, `quote` the first quote
   * after that. Leaves `position` behind the closing quote; undefined when it is malformed.
   */
  unusualString(start: number, quote: number, end: number): string | undefined {
    if (start < this.cleanFrom || this.backslash < start) this.findBackslash(start)
    if (this.backslash > quote) {
      this.position = quote + 1
      return this.buffer.toString('utf8', start, quote)
    }
    const close = this.#closingQuote(start, end)
    if (close < 0) return undefined
    this.position = close + 1
    this.findBackslash(close)
    try {
      return JSON.parse(this.buffer.toString('utf8', start - 1, close + 1)) as string
    } catch {
      return undefined
    }
  }

  #closingQuote(start: number, end: number): number {
    for (let i = start; i < end; i++) {
      const byte = this.bytes[i] as number
      if (byte === QUOTE) return i
      if (byte === BACKSLASH) i++
    }
    return -1
  }

  /** A number of any form; leaves `position` behind it. NaN when there is none. */
  unusualNumber(start: number, end: number): number {
    const stop = this.#numberEnd(start, end)
    this.position = stop
    return stop < 0 ? Number.NaN : Number(this.text.substring(start, stop))
  }

  /** A time like `"2001-01-01T06:00:00.000Z"` from its opening quote on; NaN for any other form. */
  isoTimestamp(start: number, end: number): number {
    const millis = readIsoMillis(this.bytes, start + 1, end)
    if (Number.isNaN(millis)) return millis
    const withFraction = this.bytes[start + 20] === 0x2e
    this.position = start + (withFraction ? 26 : 22)
    return this.bytes[this.position - 1] === QUOTE ? millis : Number.NaN
  }

  /** The value at `start`, however it looks, through `JSON.parse`; undefined when malformed. */
  anyValue(start: number, end: number): unknown {
    const stop = this.skipValue(start, end)
    if (stop < 0) return undefined
    this.position = stop
    try {
      return JSON.parse(this.buffer.toString('utf8', start, stop)) as unknown
    } catch {
      return undefined
    }
  }

  /** The end of the value at `start`, checked as strictly as JSON.parse does; -1 when in doubt. */
  skipValue(start: number, end: number, depth = 0): number {
    if (start >= end || depth > DEPTH_MAX) return -1
    switch (this.bytes[start]) {
      case QUOTE:
        return this.#skipString(start + 1, end)
      case 0x7b:
        return this.#skipMembers(start + 1, end, { close: 0x7d, depth: depth + 1 })
      case 0x5b:
        return this.#skipMembers(start + 1, end, { close: 0x5d, depth: depth + 1 })
      case 0x74:
        return this.text.startsWith('true', start) ? start + 4 : -1
      case 0x66:
        return this.text.startsWith('false', start) ? start + 5 : -1
      case 0x6e:
        return this.text.startsWith('null', start) ? start + 4 : -1
      default:
        return this.#numberEnd(start, end)
    }
  }

  #skipString(start: number, end: number): number {
    for (let i = start; i < end; i++) {
      const byte = this.bytes[i] as number
      if (byte === QUOTE) return i + 1
      if (byte < 0x20) return -1
      if (byte === BACKSLASH) {
        return this.unusualString(start, i + 1, end) === undefined ? -1 : this.position
      }
    }
    return -1
  }

  #skipMembers(
    start: number,
    end: number,
    list: { readonly close: number; readonly depth: number },
  ): number {
    const { bytes } = this
    let p = blankEnd(bytes, start, end)
    if (bytes[p] === list.close) return p + 1
    for (;;) {
      if (list.close === 0x7d) {
        if (bytes[p] !== QUOTE) return -1
        p = this.#skipString(p + 1, end)
        if (p < 0) return -1
        p = blankEnd(bytes, p, end)
        if (bytes[p] !== 0x3a) return -1
        p = blankEnd(bytes, p + 1, end)
      }
      p = this.skipValue(p, end, list.depth)
      if (p < 0) return -1
      p = blankEnd(bytes, p, end)
      if (bytes[p] === list.close) return p + 1
      if (bytes[p] !== 0x2c) return -1
      p = blankEnd(bytes, p + 1, end)
    }
  }

  /** The end of a number by JSON's grammar; -1 when it is none. */
  #numberEnd(start: number, end: number): number {
    const { bytes } = this
    let p = bytes[start] === 0x2d ? start + 1 : start
    const first = p
    p = digitsEnd(bytes, first, end)
    if (p === first || (bytes[first] === 0x30 && p > first + 1)) return -1
    if (p < end && bytes[p] === 0x2e) {
      const fraction = p + 1
      p = digitsEnd(bytes, fraction, end)
      if (p === fraction) return -1
    }
    if (p < end && ((bytes[p] as number) | 0x20) === 0x65) {
      const sign = bytes[p + 1]
      const exponent = sign === 0x2b || sign === 0x2d ? p + 2 : p + 1
      p = digitsEnd(bytes, exponent, end)
      if (p === exponent) return -1
    }
    return p > end ? -1 : p
  }
}
