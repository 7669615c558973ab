/**
 * What `z` contains: all of zod 4, and Weir's own schemas in front of it. Each is a real zod
 * schema, so that `JSON.parse` followed by the schema's `safeParse` says what a JSON record means;
 * Weir's generated readers only do the same faster.
 *
 * `int64` and `map` replace zod's: JSON has neither, and zod's own accept no JSON text at all.
 */
export * from 'zod'
export { bytes, int64, map, timestamp } from './weir-schemas.ts'
