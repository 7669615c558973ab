/**
 * Writes JSON numbers and strings as bytes. Each function needs the room to be there, and gives the
 * place behind what it wrote.
 */

import type { ByteWriter } from '../common/bytes.ts'
import { writeNative } from './write-native.ts'

/** `00`, `01` … `99` as they lie in memory, the first digit in the low byte. */
const PAIRS = Int32Array.from(
  { length: 100 },
  (_, i) => 0x3030 + ((i % 10) << 8) + Math.floor(i / 10),
)

/** The most bytes of a JSON number, for which there must be room. */
export const NUMBER_BYTES_MAX = 32

/** Any finite number the way `JSON.stringify` writes it; the others as `null`. */
export function putNumber(view: DataView, at: number, value: number): number {
  if ((value | 0) === value) return putInt32(view, at, value)
  if (Number.isSafeInteger(value)) return putInteger(view, at, value)
  return putAscii(view, at, Number.isFinite(value) ? String(value) : 'null')
}

/** Beyond 32 bits, up to 2^53: the high digits, then the low eight. */
function putInteger(view: DataView, at: number, value: number): number {
  let p = at
  let rest = value
  if (rest < 0) {
    view.setUint8(p++, 0x2d)
    rest = -rest
  }
  const high = Math.floor(rest / 1e8)
  p = putInt32(view, p, high)
  // A small integer: V8 divides those by a multiplication.
  return putEight(view, p, (rest - high * 1e8) | 0)
}

/**
 * Four digits at a time, each group by one store. How many there are of the first group is counted
 * without a branch: lengths vary, and a branch that the processor foresees wrongly costs as much as
 * the number.
 */
export function putInt32(view: DataView, at: number, value: number): number {
  let p = at
  let rest = value
  if (rest < 0) {
    if (rest === -0x8000_0000) return putAscii(view, at, '-2147483648')
    view.setUint8(p++, 0x2d)
    rest = -rest
  }
  if (rest < 10_000) return putFirst(view, p, rest)
  if (rest < 100_000_000) {
    const high = (rest / 10_000) | 0
    p = putFirst(view, p, high)
    view.setInt32(p, fourDigits(rest - high * 10_000), true)
    return p + 4
  }
  const high = (rest / 100_000_000) | 0
  return putEight(view, putFirst(view, p, high), rest - high * 100_000_000)
}

function putEight(view: DataView, at: number, value: number): number {
  const high = (value / 10_000) | 0
  view.setInt32(at, fourDigits(high), true)
  view.setInt32(at + 4, fourDigits(value - high * 10_000), true)
  return at + 8
}

/** A number below 10,000 without leading zeros. Four bytes are written, whatever counts of them. */
function putFirst(view: DataView, at: number, value: number): number {
  const more = ((9 - value) >>> 31) + ((99 - value) >>> 31) + ((999 - value) >>> 31)
  view.setInt32(at, fourDigits(value) >> (24 - more * 8), true)
  return at + 1 + more
}

function fourDigits(value: number): number {
  const high = (value / 100) | 0
  return (PAIRS[high] as number) | ((PAIRS[value - high * 100] as number) << 16)
}

function putAscii(view: DataView, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i))
  return at + text.length
}

/** Up to this length a loop over the characters beats a native call. */
export const LOOP_MAX = 32

/**
 * The characters of a string that needs no escapes, without the quotes; -1 for one that does, or
 * that is not ASCII.
 */
export function putPlain(buffer: Uint8Array, at: number, text: string): number {
  const size = text.length
  for (let i = 0; i < size; i++) {
    const code = text.charCodeAt(i)
    // From # to the tilde in one comparison; blank and ! are the only others that stay plain.
    if ((code - 0x23) >>> 0 > 0x5b || code === 0x5c) {
      if (code !== 0x20 && code !== 0x21) return -1
    }
    buffer[at + i] = code
  }
  return at + size
}

/**
 * The same for long strings: copied by one native call, then looked through four bytes at a time.
 */
export function putLong(out: ByteWriter, at: number, text: string): number {
  const { buffer, data } = out
  const size = writeNative(buffer, text, at)
  if (size !== text.length) return -1
  const end = at + size
  let i = at
  for (; i + 4 <= end; i += 4) {
    const word = data.getInt32(i, true)
    const quote = word ^ 0x22222222
    const backslash = word ^ 0x5c5c5c5c
    const below = ((word - 0x20202020) & ~word) | ((quote - 0x01010101) & ~quote)
    if (((below | ((backslash - 0x01010101) & ~backslash)) & 0x80808080) !== 0) return -1
  }
  for (; i < end; i++) {
    const byte = buffer[i] as number
    if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return -1
  }
  return end
}
