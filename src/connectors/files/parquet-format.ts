import type { Format } from '../../schema/format.ts'
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

/** How the bytes of a file are records. */
export type FileFormat<T> = Format<T> | ParquetFormat<T>

export function isParquet<T>(format: FileFormat<T>): format is ParquetFormat<T> {
  return 'kind' in format && format.kind === 'parquet'
}

/**
 * Parquet files. Only the columns of the schema are read. Timestamps are milliseconds whatever the
 * file's unit (finer digits are cut off); integers of 64 bits become numbers where the schema says
 * `int`, `int32` or `timestamp`, and must fit. Written are fields of leaves, arrays and objects.
 */
export function parquet<T extends object>(given: Type<T> | z.ZodType<T>): ParquetFormat<T> {
  const type = typeOf(given)
  return { kind: 'parquet', name: 'parquet', type, node: objectNodeOf(type, 'parquet()') }
}
