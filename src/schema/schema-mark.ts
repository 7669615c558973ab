/**
 * A mark on a zod schema's definition. It survives `.min()`, `.refine()` and the like, which copy
 * the definition, and needs no `instanceof`: a job may bundle a zod of its own.
 */
export type SchemaMark = 'timestamp' | 'iso-timestamp' | 'bytes' | 'int64' | 'map'

const MARK = 'weir'

export function markSchema<S extends { readonly _zod: { readonly def: object } }>(
  schema: S,
  mark: SchemaMark,
): S {
  Object.assign(schema._zod.def, { [MARK]: mark })
  return schema
}

export function schemaMark(definition: object): SchemaMark | undefined {
  return (definition as { readonly [MARK]?: SchemaMark })[MARK]
}
