/** JSON records: one JSON text each. */
import type { Format } from './format.ts'
import { type JsonReaderOptions, makeJsonReader } from './json-reader.ts'
import { makeJsonWriter } from './json-writer.ts'
import { type FieldOf, type Picked, pickType } from './pick-type.ts'
import { requireJson } from './require-json.ts'
import { schemaErrors } from './schema-errors.ts'
import type { Type } from './type.ts'
import { typeOf } from './type-of.ts'
import type { z } from './z.ts'
import { isZodType } from './zod-type.ts'

/**
 * JSON, read and written by code generated for the fields. What it accepts, and the value, is what
 * `JSON.parse` followed by the schema gives; what it writes is `JSON.stringify` of the encoded
 * value.
 *
 * Throws WEIR_SCHEMA_UNSUPPORTED for types that JSON cannot carry.
 */
export function json<T>(given: Type<T> | z.ZodType<T>): Format<T>
export function json<T, F extends FieldOf<T>>(
  given: Type<T> | z.ZodType<T>,
  options: JsonReaderOptions<F> & { readonly fields: readonly F[] },
): Format<Picked<T, F>>
export function json<T, F extends FieldOf<T>>(
  given: Type<T> | z.ZodType<T>,
  options: JsonReaderOptions<F> = {},
): Format<T> | Format<Picked<T, F>> {
  const type = typeOf(given)
  if (!isZodType(type)) {
    throw schemaErrors.WEIR_SCHEMA_UNSUPPORTED({
      path: 'the value',
      what: `${type.name} was not made from a schema`,
      hint: 'give json() a record() or a zod schema',
    })
  }
  requireJson(type.node)
  const { fields } = options
  if (fields !== undefined) {
    const picked = pickType(type, fields)
    return {
      name: 'json',
      type: picked,
      makeDecoder: () => makeJsonReader(type, { fields }),
      makeEncoder: () => makeJsonWriter(picked),
    }
  }
  return {
    name: 'json',
    type,
    makeDecoder: () => makeJsonReader(type),
    makeEncoder: () => makeJsonWriter(type),
  }
}
