/**
 * Strings of single values. The same bytes as `ByteWriter.writeString`, with fewer native calls:
 * one costs 30-60 ns whatever the string's length.
 */
import type { ByteReader, ByteWriter } from '../common/bytes.ts'
import { writeNative } from './write-native.ts'

/** Up to this length a loop over the characters beats one native call. */
const LOOP_MAX = 24
/** Up to this length the length of an ASCII string takes one or two bytes. */
const NATIVE_MAX = 8191

export function writeText(out: ByteWriter, value: string): void {
  const size = value.length
  if (size > LOOP_MAX) {
    writeLong(out, value)
    return
  }
  if (out.length + size + 1 > out.buffer.length) out.reserve(size + 1)
  const buffer = out.buffer
  const start = out.length
  let position = start + 1
  for (let i = 0; i < size; i++) {
    const code = value.charCodeAt(i)
    if (code >= 0x80) {
      out.writeString(value)
      return
    }
    buffer[position++] = code
  }
  buffer[start] = size * 2
  out.length = position
}

/** Supposes ASCII: one native call, which also tells whether that was right. */
function writeLong(out: ByteWriter, value: string): void {
  const size = value.length
  if (size > NATIVE_MAX) {
    out.writeString(value)
    return
  }
  const most = size * 3 + 2
  if (out.length + most > out.buffer.length) out.reserve(most)
  const start = out.length
  const header = size * 2 < 0x80 ? 1 : 2
  const written = writeNative(out.buffer, value, start + header)
  if (written !== size) {
    out.writeString(value)
    return
  }
  if (header === 1) out.buffer[start] = size * 2
  else {
    out.buffer[start] = ((size * 2) & 0x7f) | 0x80
    out.buffer[start + 1] = (size * 2) >> 7
  }
  out.length = start + header + size
}

/** Up to this length building the string from its characters beats a native call. */
const BUILD_MAX = 12

export function readText(input: ByteReader): string {
  const start = input.offset + 1
  const buffer = input.buffer
  // An odd header marks UTF-16; a missing one is for the reader to report.
  const header = start <= input.limit ? (buffer[start - 1] as number) : 1
  const size = header >> 1
  const end = start + size
  if (header >= 0x80 || (header & 1) === 1 || end > input.limit) return input.readString()
  if (size > BUILD_MAX) {
    input.offset = end
    return buffer.toString('utf8', start, end)
  }
  let all = 0
  for (let i = start; i < end; i++) all |= buffer[i] as number
  if (all >= 0x80) return input.readString()
  input.offset = end
  return build(buffer, start, size)
}

/** One call with all the characters: a concatenation would allocate for each. */
function build(b: Uint8Array, i: number, size: number): string {
  const s = String.fromCharCode
  const at = (offset: number) => b[i + offset] as number
  switch (size) {
    case 0:
      return ''
    case 1:
      return s(at(0))
    case 2:
      return s(at(0), at(1))
    case 3:
      return s(at(0), at(1), at(2))
    case 4:
      return s(at(0), at(1), at(2), at(3))
    case 5:
      return s(at(0), at(1), at(2), at(3), at(4))
    case 6:
      return s(at(0), at(1), at(2), at(3), at(4), at(5))
    case 7:
      return s(at(0), at(1), at(2), at(3), at(4), at(5), at(6))
    case 8:
      return s(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7))
    default:
      return build(b, i, 8) + build(b, i + 8, size - 8)
  }
}
