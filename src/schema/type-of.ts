/** The one way from what users give (a zod schema, or a type already made) to a {@link Type}. */
import { isZod, nodeOfZod } from './node-of-zod.ts'
import type { Type } from './type.ts'
import type { z } from './z.ts'
import { asZodNode, makeZodType, type ZodType } from './zod-type.ts'

/** Types by schema: one schema is compiled once, however many states use it. */
const known = new WeakMap<object, ZodType<never>>()

/**
 * The type of a schema. Throws WEIR_SCHEMA_UNSUPPORTED, naming the path, for what has no fixed form
 * of bytes.
 */
export function typeOf<T>(schema: z.ZodType<T>): ZodType<T>
export function typeOf<T>(schema: z.ZodType<T> | Type<T>): Type<T>
export function typeOf<T>(schema: z.ZodType<T> | Type<T>): Type<T> {
  if (!isZod(schema)) return schema as Type<T>
  const found = known.get(schema)
  if (found !== undefined) return found as unknown as ZodType<T>
  const zod = schema as z.ZodType<T>
  const made = makeZodType(zod, nodeOfZod(asZodNode(zod)))
  known.set(schema, made as unknown as ZodType<never>)
  return made
}
