/**
 * What the engine needs to know about values of one type: how they are written and read, how they
 * are described in a checkpoint, and how a flat state table should hold them.
 *
 * Made by `record()` and `typeOf()` from a zod schema; `generalType` is the fallback for values
 * without a schema.
 */
import type { ZodType } from 'zod'

import type { ByteReader, ByteWriter } from '../common/bytes.ts'

/**
 * The neutral description of a type: plain JSON, stored beside every state, compared before a
 * restore. Field order in `object` is the order of the bytes. `int` is a safe integer (a number),
 * `int64` a bigint of 64 bits, `timestamp` a number of milliseconds since the epoch.
 */
export type SchemaNode =
  | { readonly kind: 'string' | 'int32' | 'int' | 'int64' | 'float64' | 'boolean' | 'timestamp' }
  | { readonly kind: 'bytes' | 'null' | 'general' }
  | { readonly kind: 'enum'; readonly values: readonly (string | number)[] }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'optional' | 'nullable' | 'array'; readonly of: SchemaNode }
  | { readonly kind: 'tuple'; readonly items: readonly SchemaNode[] }
  | { readonly kind: 'map'; readonly key: SchemaNode; readonly value: SchemaNode }
  | { readonly kind: 'dictionary'; readonly value: SchemaNode }
  | { readonly kind: 'object'; readonly fields: readonly FieldNode[] }
  | {
      readonly kind: 'union'
      readonly discriminator: string
      readonly variants: readonly SchemaNode[]
    }

export interface FieldNode {
  readonly name: string
  readonly type: SchemaNode
  /** Present when the zod field has a default: lets an old snapshot without the field restore. */
  readonly default?: unknown
}

/** How a flat table holds the values: a hint, never visible to users. */
export type StorageHint = 'int32' | 'float64' | 'object' | 'bytes'

export interface Type<T> {
  /** For messages and plans: `int32`, `string`, `{auction: int32, price: float64}`. */
  readonly name: string
  readonly schema: SchemaNode
  readonly storage: StorageHint
  /** Appends one value. Throws WEIR_VALUE_UNSERIALIZABLE, naming the path, when it does not fit. */
  write(out: ByteWriter, value: T): void
  /** Reads what `write` wrote. Throws WEIR_BYTES_MALFORMED on anything else. */
  read(input: ByteReader): T
}

/** What the API takes wherever a type is asked for: a made {@link Type} or a zod schema. */
export type Schema<T> = Type<T> | ZodType<T>
