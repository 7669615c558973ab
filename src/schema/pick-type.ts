/** The type of records of which only some fields are read. */
import { schemaErrors } from './schema-errors.ts'
import type { ObjectNode } from './type-node.ts'
import { typeOf } from './type-of.ts'
import { z } from './z.ts'
import type { ZodType } from './zod-type.ts'

/** The names of the fields of a record, of all variants of a union. */
export type FieldOf<T> = T extends unknown ? Extract<keyof T, string> : never

/** A record with the fields `F` only; of a union, each variant keeps those that it has. */
export type Picked<T, F extends string> = T extends unknown ? Pick<T, Extract<keyof T, F>> : never

/**
 * Checks on the record as a whole are left out: they may look at fields that are not there. A union
 * keeps its discriminator. Throws WEIR_SCHEMA_UNSUPPORTED for a field that does not exist.
 */
export function pickType<T, F extends FieldOf<T>>(
  type: ZodType<T>,
  fields: readonly F[],
): ZodType<Picked<T, F>> {
  const { node } = type
  if (node.kind !== 'object' && node.kind !== 'union') {
    throw unknownField(type.name, 'a value that is no record has no fields to pick')
  }
  const objects = node.kind === 'union' ? node.variants : [node]
  const wanted = new Set<string>(fields)
  if (node.kind === 'union') wanted.add(node.discriminator)
  const missing = fields.find(name => !objects.some(object => hasField(object, name)))
  if (missing !== undefined) throw unknownField(missing, 'there is no field of this name')
  const picked = objects.map(object => pickObject(object, wanted))
  const [first] = picked
  const zod =
    node.kind === 'object' && first !== undefined
      ? first
      : z.discriminatedUnion(node.kind === 'union' ? node.discriminator : '', picked as never)
  return typeOf(zod as unknown as z.ZodType<Picked<T, F>>)
}

function hasField(object: ObjectNode, name: string): boolean {
  return object.fields.some(field => field.name === name)
}

function pickObject(object: ObjectNode, wanted: ReadonlySet<string>): z.ZodObject {
  const fields = object.fields.filter(field => wanted.has(field.name))
  return z.object(
    Object.fromEntries(fields.map(({ name, node }) => [name, node.zod as unknown as z.ZodType])),
  )
}

function unknownField(path: string, what: string): Error {
  const hint = 'name fields of the record in `fields`'
  return schemaErrors.WEIR_SCHEMA_UNSUPPORTED({ path, what, hint })
}
