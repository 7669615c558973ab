/**
 * The bytes of keyed state in a snapshot, the same for every backend and any parallelism.
 *
 *   section  = version:uint8 block*                        one section a key group
 *   block    = state:varint count:varint size:varint entry{count}
 *              `state` is the index into the snapshot's list of states; `size` is the bytes of all
 *              entries, so that a reader can skip a state it does not know.
 *   entry    = key contents
 *   key      = tag:uint8 payload [namespace:float64]
 *              tags: 0 int32, 1 float64, 2 string, 3 bigint (its decimal digits), 4 false, 5 true,
 *              6 the fold of a tuple of two int32, as these two (since version 2);
 *              8 is added when the namespace is not 0, and only then it is written.
 *   contents = value, reducing, aggregating: time value
 *              list: count:varint (time value){count}
 *              map: count:varint (time mapKey value){count}
 *              timers: timestamp:float64
 *   time     = varint: 0 for none, else the milliseconds of the last renewal plus one. Every value
 *   has
 *              this slot, so that a TTL can be given to existing state or taken away.
 *
 * Values and map keys are written by the state's `Type`. Entries of a block come in any order.
 */
import type { ByteReader, ByteWriter } from '../common/bytes.ts'
import { bytesErrors } from '../common/bytes.ts'
import { writeText } from '../schema/value-text.ts'
import type { PrimitiveKey } from './key.ts'
import { keyTags } from './key-tags.ts'
import { foldPair } from './pair-key.ts'

export const SECTION_VERSION = 2
/** Differs from the next only in what it lacks. */
export const SECTION_VERSION_MIN = 1

/** What `readTime` gives when the value was stored without a TTL. */
export const NO_TIME = -1

export function writeEntryKey(out: ByteWriter, key: PrimitiveKey, namespace: number): void {
  const mark = namespace === 0 ? 0 : keyTags.namespaced
  switch (typeof key) {
    case 'number':
      if ((key | 0) === key) {
        out.writeUint8(keyTags.int32 + mark)
        out.writeInt32(key)
      } else {
        out.writeUint8(keyTags.float64 + mark)
        out.writeFloat64(key)
      }
      break
    case 'string':
      out.writeUint8(keyTags.string + mark)
      writeText(out, key)
      break
    case 'bigint':
      out.writeUint8(keyTags.bigint + mark)
      out.writeString(key.toString())
      break
    default:
      out.writeUint8((key ? keyTags.true : keyTags.false) + mark)
  }
  if (namespace !== 0) out.writeFloat64(namespace)
}

/** Takes what was read: made once a reader, so that no object is made an entry. */
export interface EntryKey {
  key: PrimitiveKey
  namespace: number
}

export function readEntryKey(input: ByteReader, into: EntryKey): void {
  const tag = input.readUint8()
  into.key = readKey(input, tag % keyTags.namespaced)
  into.namespace = tag >= keyTags.namespaced ? input.readFloat64() : 0
}

function readKey(input: ByteReader, tag: number): PrimitiveKey {
  switch (tag) {
    case keyTags.int32:
      return input.readInt32()
    case keyTags.float64:
      return input.readFloat64()
    case keyTags.string:
      return input.readString()
    case keyTags.bigint:
      return readBigint(input)
    case keyTags.false:
      return false
    case keyTags.true:
      return true
    case keyTags.pair:
      return foldPair({ first: input.readInt32(), second: input.readInt32() })
    default:
      throw malformed('an unknown kind of key', input)
  }
}

function readBigint(input: ByteReader): bigint {
  const digits = input.readString()
  if (!/^-?\d+$/.test(digits)) throw malformed('not a bigint', input)
  return BigInt(digits)
}

export function writeTime(out: ByteWriter, time: number): void {
  // A clock before 1970 is a broken one: such a value is as old as can be.
  out.writeVarint(time === NO_TIME ? 0 : Math.max(0, Math.floor(time)) + 1)
}

/** The time, or {@link NO_TIME}. */
export function readTime(input: ByteReader): number {
  return input.readVarint() - 1
}

/** A count of things of at least one byte each, bounded by what is left to read. */
export function readCount(input: ByteReader): number {
  const count = input.readVarint()
  if (count > input.remaining) throw malformed(`${count} things announced`, input)
  return count
}

function malformed(what: string, input: ByteReader): Error {
  return bytesErrors.WEIR_BYTES_MALFORMED({ what, offset: input.offset })
}
