/** Record types: the objects that flow through a job. */
import { isZod } from './node-of-zod.ts'
import { schemaErrors } from './schema-errors.ts'
import type { Type } from './type.ts'
import type { TypeNode } from './type-node.ts'
import { typeOf } from './type-of.ts'
import { z } from './z.ts'
import type { ZodType } from './zod-type.ts'

export interface RecordType<T> extends ZodType<T> {
  /** The names of the fields; of a union, those of all variants. */
  readonly fields: readonly string[]
}

/** The TypeScript type of the values of a record type, or of a zod schema. */
export type Infer<R> = R extends Type<infer T> ? T : R extends z.ZodType<infer T> ? T : never

/**
 * A record type from a zod object, or from a discriminated union of objects:
 *
 * ```ts
 * const Bid = record(z.object({ auction: z.int32(), price: z.number(), at: z.timestamp() }))
 * type Bid = Infer<typeof Bid>
 * ```
 *
 * All values that Weir makes of it (from bytes, frames or JSON) have all fields, in the schema's
 * order: an absent optional field is `undefined`. Keys that the schema does not name are dropped.
 *
 * Throws WEIR_SCHEMA_UNSUPPORTED, naming the field.
 */
export function record<S extends z.ZodRawShape>(fields: S): RecordType<z.output<z.ZodObject<S>>>
export function record<T extends object>(schema: z.ZodType<T>): RecordType<T>
export function record(given: z.ZodType | z.ZodRawShape): RecordType<unknown> {
  const type = typeOf<unknown>(
    isZod(given) ? (given as z.ZodType) : z.object(given as z.ZodRawShape),
  )
  const { node } = type
  if (node.kind !== 'object' && node.kind !== 'union') {
    throw schemaErrors.WEIR_SCHEMA_UNSUPPORTED({
      path: 'the value',
      what: `a record has named fields, this is ${type.name}`,
      hint: 'give record() a z.object() or a z.discriminatedUnion(); typeOf() takes any schema',
    })
  }
  return { ...type, fields: fieldNames(node) }
}

/** Of a record; of a union, those of all variants. */
export function fieldNames(node: TypeNode): readonly string[] {
  const objects = node.kind === 'union' ? node.variants : node.kind === 'object' ? [node] : []
  return [...new Set(objects.flatMap(object => object.fields.map(field => field.name)))]
}
