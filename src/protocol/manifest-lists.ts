/** Fields of manifests that hold several values, and special texts. */
import { z } from 'zod'
import { patternField } from './manifest-fields.ts'

/** Each of the names is there once: then a list can be merged entry by entry. */
export function keyedList<S extends z.ZodRawShape>(
  item: z.ZodObject<S>,
  maxItems: number,
  keys: readonly (keyof S & string)[],
) {
  const expected = `a list without two of the same ${keys.join(' and ')}`
  const params = { expected, example: 'each of them once' }
  const keyOf = (entry: unknown): string =>
    JSON.stringify(keys.map(key => (entry as Record<string, unknown>)[key]))
  const served = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys }
  return z
    .array(item)
    .max(maxItems)
    .meta({ served })
    .refine(list => new Set(list.map(keyOf)).size === list.length, { params })
}

/** Texts, each of them once. */
export function textSet(item: z.ZodString, maxItems: number) {
  const params = { expected: 'a list without doubles', example: 'each of them once' }
  return z
    .array(item)
    .max(maxItems)
    .meta({ served: { 'x-kubernetes-list-type': 'set' } })
    .refine(list => new Set(list).size === list.length, { params })
}

/** Names with texts. */
export function stringMap(entriesMax: number) {
  return z
    .record(z.string().max(253), z.string().max(4096).meta({ expected: 'a text (quote numbers)' }))
    .meta({ served: { maxProperties: entriesMax } })
    .refine(map => Object.keys(map).length <= entriesMax, {
      params: { expected: `at most ${entriesMax} entries`, example: 'fewer entries' },
    })
}

/** Names with texts or whole numbers. */
export function settingsField(entriesMax: number) {
  const value = z
    .union([z.number(), z.string().max(4096)])
    .meta({ expected: 'a text or a whole number', example: '128Mi', served: { maxLength: 4096 } })
    .refine(one => typeof one === 'string' || Number.isSafeInteger(one), {
      params: { expected: 'a text or a whole number (quote fractions)', example: '"0.5"' },
    })
  return z
    .record(z.string().max(253), value)
    .meta({ served: { maxProperties: entriesMax } })
    .refine(map => Object.keys(map).length <= entriesMax, {
      params: { expected: `at most ${entriesMax} entries`, example: 'fewer entries' },
    })
}

/** `s3://bucket/prefix` or `file:///folder`. */
export function urlField() {
  return patternField(/^(s3|file):\/\/.+/, 1024, {
    expected: 'a URL that begins with s3:// or file://',
    example: 'file:///var/lib/weir/checkpoints',
  })
}

/** Five fields of a cron schedule. */
export function cronField() {
  return patternField(/^\S+( \S+){4}$/, 128, {
    expected: 'a cron schedule of five fields',
    example: '"0 3 * * *"',
  })
}
