/**
 * Writes JSON numbers and strings as bytes. Each function needs the room to be there, and gives the
 * place behind what it wrote.
 */

import type { ByteWriter } from '../common/bytes.ts'
import { writeNative } from './write-native.ts'

/** `00`, `01` … `99` as bytes, two by two. */
const PAIRS = new Uint8Array(200)
for (let i = 0; i < 100; i++) {
  PAIRS[i * 2] = 0x30 + Math.floor(i / 10)
  PAIRS[i * 2 + 1] = 0x30 + (i % 10)
}

/** The most bytes of a JSON number, for which there must be room. */
export const NUMBER_BYTES_MAX = 32

/** Any finite number the way `JSON.stringify` writes it; the others as `null`. */
export function putNumber(buffer: Uint8Array, at: number, value: number): number {
  if ((value | 0) === value) return putInt32(buffer, at, value)
  if (Number.isSafeInteger(value)) return putInteger(buffer, at, value)
  return putAscii(buffer, at, Number.isFinite(value) ? String(value) : 'null')
}

/** Beyond 32 bits, up to 2^53: the high digits, then the low eight. */
function putInteger(buffer: Uint8Array, at: number, value: number): number {
  let p = at
  let rest = value
  if (rest < 0) {
    buffer[p++] = 0x2d
    rest = -rest
  }
  const high = Math.floor(rest / 1e8)
  p = putInt32(buffer, p, high)
  // Small integers from here on: V8 divides those by a multiplication.
  let low = (rest - high * 1e8) | 0
  for (let i = p + 6; i >= p; i -= 2) {
    const next = (low / 100) | 0
    const pair = (low - next * 100) * 2
    buffer[i] = PAIRS[pair] as number
    buffer[i + 1] = PAIRS[pair + 1] as number
    low = next
  }
  return p + 8
}

export function putInt32(buffer: Uint8Array, at: number, value: number): number {
  let p = at
  let rest = value
  if (rest < 0) {
    if (rest === -0x8000_0000) return putAscii(buffer, at, '-2147483648')
    buffer[p++] = 0x2d
    rest = -rest
  }
  const end = p + digitsOf(rest)
  let i = end
  while (rest >= 100) {
    const next = (rest / 100) | 0
    const pair = (rest - next * 100) * 2
    i -= 2
    buffer[i] = PAIRS[pair] as number
    buffer[i + 1] = PAIRS[pair + 1] as number
    rest = next
  }
  if (rest >= 10) {
    buffer[i - 2] = PAIRS[rest * 2] as number
    buffer[i - 1] = PAIRS[rest * 2 + 1] as number
  } else buffer[i - 1] = 0x30 + rest
  return end
}

function digitsOf(value: number): number {
  if (value < 100_000) {
    if (value < 100) return value < 10 ? 1 : 2
    return value < 1000 ? 3 : value < 10_000 ? 4 : 5
  }
  if (value < 10_000_000) return value < 1_000_000 ? 6 : 7
  return value < 100_000_000 ? 8 : value < 1_000_000_000 ? 9 : 10
}

function putAscii(buffer: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) buffer[at + i] = text.charCodeAt(i)
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
