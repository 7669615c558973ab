/** The schemas that `z` adds to zod, or puts in the place of zod's. */
import * as zod from 'zod'
import { markSchema } from './schema-mark.ts'

/** The largest distance from the epoch that a `Date` can show, in milliseconds. */
const DATE_MAX_MS = 8.64e15

const INT64_TEXT = /^-?[0-9]{1,19}$/

export interface TimestampOptions {
  /** How JSON carries it: `number` of milliseconds (the default) or ISO 8601 text. */
  readonly json?: 'number' | 'iso'
}

export type ZodIsoTimestamp = zod.ZodCodec<zod.ZodISODateTime, zod.ZodNumber>

/**
 * A point in time: a whole number of milliseconds since the epoch.
 *
 * With `json: 'iso'`, JSON text holds ISO 8601: read with `Z`, an offset, or neither (taken as
 * UTC), fractions beyond milliseconds cut off; written like `2001-01-01T06:00:00.000Z`.
 */
export function timestamp(options?: { readonly json?: 'number' }): zod.ZodNumber
export function timestamp(options: { readonly json: 'iso' }): ZodIsoTimestamp
export function timestamp(options: TimestampOptions = {}): zod.ZodNumber | ZodIsoTimestamp {
  const millis = markSchema(zod.int().min(-DATE_MAX_MS).max(DATE_MAX_MS), 'timestamp')
  if (options.json !== 'iso') return millis
  const text = zod.iso.datetime({ offset: true, local: true })
  return markSchema(
    zod.codec(text, millis, {
      decode: iso => Date.parse(ZONE.test(iso) ? iso : `${iso}Z`),
      encode: ms => new Date(ms).toISOString(),
    }),
    'iso-timestamp',
  )
}

const ZONE = /(?:Z|[+-]\d\d:?\d\d)$/

/** Bytes; base64 text in JSON. Values read are `Buffer`s, any `Uint8Array` may be written. */
export function bytes(): zod.ZodCodec<zod.ZodBase64, zod.ZodType<Uint8Array, Uint8Array>> {
  return markSchema(
    zod.codec(zod.base64(), bytesValue(), {
      decode: text => Buffer.from(text, 'base64'),
      encode: value =>
        Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
    }),
    'bytes',
  )
}

function bytesValue(): zod.ZodType<Uint8Array, Uint8Array> {
  return zod.custom<Uint8Array>(value => value instanceof Uint8Array, 'expected bytes')
}

/**
 * A 64-bit integer as a bigint. In JSON it is read from decimal text or from a safe integer, and
 * written as text: most JSON parsers would round a number.
 */
export function int64(): zod.ZodCodec<
  zod.ZodUnion<readonly [zod.ZodInt, zod.ZodString]>,
  zod.ZodBigIntFormat
> {
  const carried = zod.union([zod.int(), zod.string().regex(INT64_TEXT)])
  return markSchema(
    zod.codec(carried, zod.int64(), {
      decode: value => BigInt(value),
      encode: value => value.toString(),
    }),
    'int64',
  )
}

/** A `Map`; in JSON an array of `[key, value]` pairs, in the order of insertion. */
export function map<K extends zod.ZodType, V extends zod.ZodType>(
  key: K,
  value: V,
): zod.ZodCodec<zod.ZodArray<zod.ZodTuple<[K, V]>>, ZodMapValue<K, V>> {
  const entries = zod.array(zod.tuple([key, value]))
  const held = zod.custom<Map<zod.output<K>, zod.output<V>>>(
    candidate => candidate instanceof Map,
    'expected a Map',
  )
  const codec = zod.codec(entries, held, {
    decode: pairs => new Map(pairs as [zod.output<K>, zod.output<V>][]),
    encode: pairs => [...pairs] as never,
  })
  return markSchema(codec, 'map')
}

type ZodMapValue<K extends zod.ZodType, V extends zod.ZodType> = zod.ZodType<
  Map<zod.output<K>, zod.output<V>>,
  Map<zod.output<K>, zod.output<V>>
>
