/**
 * The building blocks of manifest schemas. Each refuses with two sentences: what was expected, and
 * how a right line looks; `parse-stream-job.ts` adds path, line and value.
 */
import { z } from 'zod'
import { formatDuration, parseDuration } from '../common/duration.ts'
import { parseQuantity } from './quantity.ts'

/** Attached to an issue: `expected` follows the word "expected", `example` is a right value. */
export interface Expectation {
  readonly expected: string
  readonly example: string
}

/** A check whose refusal carries an {@link Expectation}. */
function checked<T extends z.ZodType<string | number>>(
  base: T,
  holds: (value: string | number) => boolean,
  params: Expectation,
): T {
  return base.refine(holds, { params: { ...params } }) as T
}

/** A duration text such as `60s`, between two bounds in ms. */
export function durationField(minMs: number, maxMs: number, example = '60s'): z.ZodString {
  const expected = `a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`
  const holds = (value: string | number): boolean => {
    const ms = typeof value === 'string' ? parseDuration(value) : undefined
    return ms !== undefined && ms >= minMs && ms <= maxMs
  }
  return checked(z.string().meta({ expected, example }), holds, { expected, example })
}

/** A Kubernetes quantity of at least `min` units. */
export function quantityField(min: number, smallest: string, example: string) {
  const expected = `a quantity of at least ${smallest}`
  const holds = (value: string | number): boolean => (parseQuantity(value) ?? -1) >= min
  return checked(z.union([z.number(), z.string()]).meta({ expected, example }), holds, {
    expected,
    example,
  })
}

/** A text that matches the pattern. */
export function patternField(pattern: RegExp, maxLength: number, params: Expectation): z.ZodString {
  const holds = (value: string | number): boolean =>
    pattern.test(String(value)) && String(value).length <= maxLength
  return checked(z.string().meta({ ...params }), holds, params)
}

/** A whole number between two bounds. */
export function integerField(min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`
  const params = { expected, example: String(Math.max(min, 1)) }
  const holds = (value: string | number): boolean =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max
  return checked(z.number().meta({ ...params }), holds, params)
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

/** A Kubernetes name of at most `maxLength` letters. */
export function nameField(maxLength: number) {
  return patternField(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, maxLength, {
    expected: `a name of at most ${maxLength} small letters, digits and hyphens, a letter first`,
    example: 'flight-delays',
  })
}

/** An object whose missing parent stands for all its defaults. */
export function withDefaults<S extends z.ZodRawShape>(shape: S) {
  const object = z.strictObject(shape)
  return object.prefault({} as z.input<typeof object>)
}
