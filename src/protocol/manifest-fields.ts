/**
 * The building blocks of manifest schemas. Each refuses with two sentences: what was expected, and
 * how a right line looks; `parse-stream-job.ts` adds path, line and value.
 *
 * A field says the same twice: as a check here, and as `served`, the part of the CRD's schema that
 * makes the API server refuse the same values with the same words (`controller/crd/`).
 */
import { z } from 'zod'
import { formatDuration, parseDuration } from '../common/duration.ts'
import { celMilliseconds } from './cel-text.ts'
import { parseQuantity } from './quantity.ts'

/** Attached to an issue: `expected` follows the word "expected", `example` is a right value. */
export interface Expectation {
  readonly expected: string
  readonly example: string
}

/** One `x-kubernetes-validations` entry. */
export interface CelRule {
  readonly rule: string
  readonly message: string
  readonly fieldPath?: string
  readonly reason?: string
}

/** Keywords of a structural schema, merged into what zod says of the field. */
export type ServedSchema = Readonly<Record<string, unknown>>

const SAFE_MAX = Number.MAX_SAFE_INTEGER

/** A check whose refusal carries an {@link Expectation}. */
function checked<T extends z.ZodType<string | number>>(
  base: T,
  holds: (value: string | number) => boolean,
  params: Expectation,
): T {
  return base.refine(holds, { params: { ...params } }) as T
}

function ruled(params: Expectation, ...rules: readonly string[]): readonly CelRule[] {
  return rules.map(rule => ({ rule, message: `expected ${params.expected}` }))
}

/** Whole milliseconds by their form; days stand alone, for CEL does not know them. */
const durationForm =
  /^([0-9]{1,4}d|([0-9]{1,9}ms|[0-9]{1,8}([.][0-9]{1,3})?s|[0-9]{1,6}([.][0-9]{1,3})?[mh])+)$/
const DURATION_CHARS_MAX = 16

/** A duration text such as `60s`, between two bounds in ms. */
export function durationField(minMs: number, maxMs: number, example = '60s'): z.ZodString {
  const expected = `a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`
  const params = { expected, example }
  const holds = (value: string | number): boolean => {
    const text = String(value)
    if (text.length > DURATION_CHARS_MAX || !durationForm.test(text)) return false
    const ms = parseDuration(text)
    return ms !== undefined && ms >= minMs && ms <= maxMs
  }
  const amount = celMilliseconds('self')
  const rule =
    `self.matches(r'${durationForm.source}') && ` +
    `[${amount}].all(ms, ms >= ${minMs} && ms <= ${maxMs})`
  const served: ServedSchema = {
    maxLength: DURATION_CHARS_MAX,
    'x-kubernetes-validations': ruled(params, rule),
  }
  return checked(z.string().meta({ ...params, served }), holds, params)
}

/** A Kubernetes quantity of at least `min` units: a text or a whole number. */
export function quantityField(min: number, smallest: string, example: string) {
  const params = { expected: `a quantity of at least ${smallest}`, example }
  const holds = (value: string | number): boolean => {
    const isWritable = typeof value === 'string' || Number.isSafeInteger(value)
    return isWritable && String(value).length <= 24 && (parseQuantity(value) ?? -1) >= min
  }
  const rule =
    `string(self).matches(r'^[0-9]+([.][0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$') && ` +
    `quantity(string(self)).compareTo(quantity('${smallest}')) >= 0`
  const served: ServedSchema = { maxLength: 24, 'x-kubernetes-validations': ruled(params, rule) }
  return checked(z.union([z.number(), z.string()]).meta({ ...params, served }), holds, params)
}

/** What a text must match, and what no part of it may be. Both in the syntax that RE2 shares. */
export interface TextForm extends Expectation {
  readonly never?: RegExp
}

/** A text that matches the pattern. */
export function patternField(pattern: RegExp, maxLength: number, form: TextForm): z.ZodString {
  const { never, ...params } = form
  const holds = (value: string | number): boolean => {
    const text = String(value)
    return (
      pattern.test(text) && !(never?.test(text) ?? false) && Array.from(text).length <= maxLength
    )
  }
  const rule = `self.matches(r'${pattern.source}')`
  const full = never === undefined ? rule : `${rule} && !self.matches(r'${never.source}')`
  const served = { maxLength, 'x-kubernetes-validations': ruled(params, full) }
  return checked(z.string().meta({ ...params, served }), holds, params)
}

/** Any text with something in it. */
export function textField(maxLength: number): z.ZodString {
  const params = { expected: `a text of 1 to ${maxLength} characters`, example: 'text' }
  const holds = (value: string | number): boolean => {
    const { length } = Array.from(String(value))
    return length >= 1 && length <= maxLength
  }
  const served = { minLength: 1, maxLength }
  return checked(z.string().meta({ ...params, served }), holds, params)
}

/** A whole number between two bounds. */
export function integerField(min: number, max: number = SAFE_MAX) {
  const expected = `a whole number from ${min} to ${max}`
  const params = { expected, example: String(Math.max(min, 1)) }
  const holds = (value: string | number): boolean =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max
  const served = { type: 'integer', format: 'int64', minimum: min, maximum: max }
  return checked(z.number().meta({ ...params, served }), holds, params)
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
