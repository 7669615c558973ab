/** Formats without structure: text, and bytes as they are. */
import { isAscii } from 'node:buffer'
import type { ByteWriter } from '../common/bytes.ts'
import type { Decoder, Format } from './format.ts'
import type { Type } from './type.ts'
import { typeOf } from './type-of.ts'
import { z } from './z.ts'

const TEXT: Type<string> = typeOf(z.string())
const BYTES: Type<Uint8Array> = typeOf(z.bytes())

/** Each record is a string: the text of a line or of a message, in UTF-8. */
export function text(): Format<string> {
  return {
    name: 'text',
    type: TEXT,
    makeDecoder: () => new TextDecoder(),
    makeEncoder: () => ({
      write(out: ByteWriter, value: string): void {
        const most = value.length * 3
        out.reserve(most)
        out.length += out.buffer.write(value, out.length, most, 'utf8')
      },
    }),
  }
}

/** Each record is its bytes; they share the batch's memory, copy what outlives it. */
export function raw(): Format<Uint8Array> {
  return {
    name: 'raw',
    type: BYTES,
    makeDecoder: () => new RawDecoder(),
    makeEncoder: () => ({ write: (out: ByteWriter, value: Uint8Array) => out.writeBytes(value) }),
  }
}

class TextDecoder implements Decoder<string> {
  #buffer: Buffer = Buffer.alloc(0)
  #text = ''
  #ascii = true

  setBatch(buffer: Buffer): void {
    this.#buffer = buffer
    // One native call for the batch; a piece of it costs a fifth of a native call of its own.
    this.#text = buffer.toString('latin1')
    this.#ascii = isAscii(buffer)
  }

  read(start: number, end: number): string {
    return this.#ascii
      ? this.#text.substring(start, end)
      : this.#buffer.toString('utf8', start, end)
  }
}

class RawDecoder implements Decoder<Uint8Array> {
  #buffer: Buffer = Buffer.alloc(0)

  setBatch(buffer: Buffer): void {
    this.#buffer = buffer
  }

  read(start: number, end: number): Uint8Array {
    return this.#buffer.subarray(start, end)
  }
}
