/**
 * How values lie in bytes outside of Weir: what a connector needs to read or write them. A
 * connector finds where records begin and end; a format knows what is in between.
 */
import type { ByteWriter } from '../common/bytes.ts'
import type { Type } from './type.ts'

export interface Format<T> {
  /** For plans and messages: `json`, `text`, `csv`. */
  readonly name: string
  readonly type: Type<T>
  /** One per reader of a source: each compiles its own code, so that none slows another down. */
  makeDecoder(): Decoder<T>
  /** One per writer of a sink. */
  makeEncoder(): Encoder<T>
}

/**
 * Reads records out of a batch of bytes.
 *
 * Strings it returns may share the memory of the whole batch: what outlives the batch (state above
 * all) must be flattened first, see `flatten()`.
 */
export interface Decoder<T> {
  /** The bytes of the coming `read` calls. They must not change until the next `setBatch`. */
  setBatch(buffer: Buffer): void
  /** The record in the bytes from `start` to before `end`. Throws WEIR_RECORD_UNPARSABLE. */
  read(start: number, end: number): T
}

export interface Encoder<T> {
  /** Appends one record, without a separator. Throws WEIR_VALUE_UNSERIALIZABLE. */
  write(out: ByteWriter, value: T): void
}
