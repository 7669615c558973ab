/**
 * The codec for values without a schema: about ten times slower than a generated one, and it cannot
 * check what it is given against anything. Jobs that use it say so at start, by the type's name.
 */

import { deserialize, serialize } from 'node:v8'
import { Packr } from 'msgpackr'
import { type ByteReader, type ByteWriter, bytesErrors } from '../common/bytes.ts'
import { schemaErrors } from './schema-errors.ts'
import type { Type } from './type.ts'

/** The first byte says which of the two packages wrote the rest. */
const PACKED = 0
const CLONED = 1

/** Deeper values are cyclic in practice; the structured clone can hold those. */
const DEPTH_MAX = 100

// Without shared record structures: every value must be readable alone.
const packr = new Packr({ useRecords: false, moreTypes: true, int64AsType: 'bigint' })

/**
 * Anything that structured clone takes: plain objects, arrays, `Map`, `Set`, `Date`, bytes,
 * bigints, all numbers and strings. Objects of classes come back as plain objects.
 */
export const generalType: Type<unknown> = {
  name: 'general (no schema)',
  schema: { kind: 'general' },
  storage: 'object',

  write(out: ByteWriter, value: unknown): void {
    const packable = isPackable(value, '', 0)
    const bytes = packable ? packr.pack(value) : clone(value)
    out.writeVarint(bytes.length + 1)
    out.writeUint8(packable ? PACKED : CLONED)
    out.writeBytes(bytes)
  },

  read(input: ByteReader): unknown {
    const size = input.readVarint()
    const offset = input.offset
    if (size < 1) throw bytesErrors.WEIR_BYTES_MALFORMED({ what: 'an empty value', offset })
    const form = input.readUint8()
    const bytes = input.readBytes(size - 1)
    try {
      if (form === PACKED) return packr.unpack(bytes) as unknown
      if (form === CLONED) return deserialize(bytes) as unknown
    } catch (cause) {
      throw bytesErrors.WEIR_BYTES_MALFORMED({ what: 'not a general value', offset }, cause)
    }
    throw bytesErrors.WEIR_BYTES_MALFORMED({ what: 'an unknown general form', offset })
  },
}

function clone(value: unknown): Buffer {
  try {
    return serialize(value)
  } catch (cause) {
    throw unserializable('the value', cause)
  }
}

/**
 * Whether msgpack keeps it exactly; it has no lone surrogates, no cycles, no wide bigints, no -0.
 */
function isPackable(value: unknown, path: string, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed()
    case 'number':
      return !Object.is(value, -0)
    case 'bigint':
      return BigInt.asIntN(64, value) === value
    case 'function':
    case 'symbol':
      throw unserializable(path === '' ? 'the value' : path, value)
    case 'object':
      return value === null || (depth < DEPTH_MAX && isPackableObject(value, path, depth))
    default:
      return true
  }
}

function isPackableObject(value: object, path: string, depth: number): boolean {
  if (Array.isArray(value)) {
    return value.every((item, i) => isPackable(item, `${path}[${i}]`, depth + 1))
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const [name, item] of Object.entries(value)) {
    if (name === '__proto__' || !name.isWellFormed()) return false
    if (!isPackable(item, path === '' ? name : `${path}.${name}`, depth + 1)) return false
  }
  return true
}

function unserializable(path: string, found: unknown): Error {
  return schemaErrors.WEIR_VALUE_UNSERIALIZABLE({
    path,
    type: 'plain data',
    value: found instanceof Error ? found.message : typeof found,
  })
}
