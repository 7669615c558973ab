import type { Type } from '../../schema/type.ts'
import type { ObjectNode } from '../../schema/type-node.ts'
import { typeOf } from '../../schema/type-of.ts'
import type { z } from '../../schema/z.ts'
import { objectNodeOf } from './csv-format.ts'

/** Not a `Format`: the records of a Parquet file lie in columns, not one after the other. */
export interface ParquetFormat<T> {
  readonly kind: 'parquet'
  readonly name: 'parquet'
  readonly type: Type<T>
  readonly node: ObjectNode
}

/**
 * Parquet files, read only. Only the columns of the schema are read. Timestamps are milliseconds
 * whatever the file's unit (finer digits are cut off); integers of 64 bits become numbers where the
 * schema says `int`, `int32` or `timestamp`, and must fit.
 */
export function parquet<T extends object>(given: Type<T> | z.ZodType<T>): ParquetFormat<T> {
  const type = typeOf(given)
  return { kind: 'parquet', name: 'parquet', type, node: objectNodeOf(type, 'parquet()') }
}
