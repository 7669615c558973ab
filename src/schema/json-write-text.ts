/** Writes JSON texts of varying size, making room for them. */
import type { ByteWriter } from '../common/bytes.ts'
import { BACKWARD } from './node-of-zod.ts'
import { ISO_MAX, ISO_MIN, putIso } from './put-iso.ts'
import type { ZodNode } from './type-node.ts'
import { writeNative } from './write-native.ts'

/** A string with its quotes and whatever escapes it needs. */
export function writeEscaped(out: ByteWriter, value: string): void {
  writeUtf8(out, JSON.stringify(value))
}

export function writeUtf8(out: ByteWriter, text: string): void {
  out.reserve(text.length * 3)
  out.length += writeNative(out.buffer, text, out.length)
}

export function writeBase64(out: ByteWriter, value: Uint8Array): void {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  writeUtf8(out, `"${bytes.toString('base64')}"`)
}

/** A time as ISO 8601 text; false for what is no time. */
export function writeIso(out: ByteWriter, millis: number): boolean {
  if (!Number.isInteger(millis)) return false
  if (millis >= ISO_MIN && millis <= ISO_MAX) {
    out.reserve(26)
    const { buffer, length } = out
    buffer[length] = 0x22
    buffer[putIso(buffer, length + 1, millis)] = 0x22
    out.length = length + 26
    return true
  }
  const date = new Date(millis)
  if (Number.isNaN(date.getTime())) return false
  writeUtf8(out, `"${date.toISOString()}"`)
  return true
}

/** The JSON text of a value that only zod can encode; undefined for none, null when it refuses. */
export function encodeOpaque(zod: ZodNode, value: unknown): string | undefined | null {
  try {
    const payload = zod._zod.run({ value, issues: [] }, BACKWARD)
    if (payload instanceof Promise || payload.issues.length > 0) return null
    return JSON.stringify(payload.value)
  } catch {
    // A one-way transform, or a value that JSON does not know.
    return null
  }
}
