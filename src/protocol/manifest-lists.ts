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

/** A list of values, ranges and steps. */
const cronPart = (value: string): string => {
  const range = `([*?]|${value}(-${value})?)(/[0-9]+)?`
  return `${range}(,${range})*`
}

/** In any case. */
const names = (list: string): string =>
  list
    .split(' ')
    .map(name => name.replaceAll(/./g, letter => `[${letter}${letter.toLowerCase()}]`))
    .join('|')

const months = names('JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC')
const weekdays = names('SUN MON TUE WED THU FRI SAT')

/** Minute, hour, day of the month, month, day of the week. */
const cronParts = [
  '[0-5]?[0-9]',
  '([01]?[0-9]|2[0-3])',
  '(0?[1-9]|[12][0-9]|3[01]|L)',
  `(0?[1-9]|1[0-2]|${months})`,
  `([0-7]|${weekdays})(#[1-5]|L)?`,
].map(cronPart)

/** Five fields of a cron schedule, each within its bounds: else nothing would ever be due. */
export function cronField() {
  return patternField(new RegExp(`^${cronParts.join(' ')}$`), 128, {
    expected: 'a cron schedule of five fields',
    example: '"0 3 * * *"',
  })
}

/** The API server has no list of them: a manifest is refused here, and by the controller. */
export function timeZoneField() {
  const params = { expected: 'a time zone such as Europe/Berlin', example: 'Europe/Berlin' }
  return z
    .string()
    .meta({ ...params, served: { minLength: 1, maxLength: 64 } })
    .refine(isTimeZone, { params })
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== ''
  } catch {
    return false
  }
}
