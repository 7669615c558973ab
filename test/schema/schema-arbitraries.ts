/** Random schemas with random values, and texts that nearly fit them. */
import fc from 'fast-check'
import { z } from '../../src/schema/z.ts'

/** A schema and what makes values of it. */
export interface Sample {
  readonly zod: z.ZodType
  readonly value: fc.Arbitrary<unknown>
}

/** Any UTF-16, lone surrogates included; mostly short, sometimes far beyond ASCII. */
export const anyString: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
    .map(units => String.fromCharCode(...units)),
  fc.constantFrom('', 'plain', 'two words', 'quote"d', 'back\\slash', 'new\nline', '€', '😀'),
)

/** `finite`: what JSON can carry. */
function leaves(finite: boolean): fc.Arbitrary<Sample> {
  const double = finite
    ? fc.double({ noNaN: true, noDefaultInfinity: true })
    : fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -0, Number.POSITIVE_INFINITY))
  const int32 = fc.integer().map(n => n | 0)
  const pairs: Sample[] = [
    { zod: z.string(), value: anyString },
    { zod: z.int32(), value: int32 },
    { zod: z.int(), value: fc.maxSafeInteger() },
    { zod: z.number(), value: double },
    { zod: z.number(), value: fc.integer({ min: -99999, max: 99999 }).map(n => n / 100) },
    { zod: z.number().min(-10).max(10), value: fc.integer({ min: -10, max: 10 }) },
    { zod: z.boolean(), value: fc.boolean() },
    { zod: z.timestamp(), value: fc.integer({ min: -8.64e15, max: 8.64e15 }) },
    { zod: z.timestamp({ json: 'iso' }), value: fc.integer({ min: -6.2e13, max: 2.5e14 }) },
    { zod: z.int64(), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
    { zod: z.bytes(), value: fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes)) },
    { zod: z.enum(['one', 'two', 'drei€']), value: fc.constantFrom('one', 'two', 'drei€') },
    { zod: z.literal('only'), value: fc.constant('only') },
    { zod: z.literal([1, 2]), value: fc.constantFrom(1, 2) },
    { zod: z.null(), value: fc.constant(null) },
    { zod: z.string().min(2).max(5), value: fc.string({ minLength: 2, maxLength: 5 }) },
    { zod: z.string().regex(/^a/), value: fc.string().map(text => `a${text}`) },
    { zod: z.unknown(), value: finite ? fc.jsonValue().map(tidyZero) : fc.jsonValue() },
  ]
  return fc.constantFrom(...pairs)
}

function tidyZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

const fieldName = fc
  .oneof(
    fc.constantFrom('a', 'b', 'n', 'kind2', 'dateTime', 'odd name', 'clé', 'q"uote', 'x-y'),
    fc.stringMatching(/^[a-z]{1,12}$/),
  )
  .filter(name => name !== 'kind' && !(name in {}))

export function anySample(finite: boolean, depth = 2): fc.Arbitrary<Sample> {
  if (depth === 0) return leaves(finite)
  const inner = anySample(finite, depth - 1)
  return fc.oneof(
    { weight: 3, arbitrary: leaves(finite) },
    inner.map(s => ({ zod: z.array(s.zod), value: fc.array(s.value, { maxLength: 4 }) })),
    inner.map(s => ({ zod: s.zod.nullable(), value: fc.oneof(s.value, fc.constant(null)) })),
    fc.tuple(inner, inner).map(([a, b]) => ({
      zod: z.tuple([a.zod, b.zod]),
      value: fc.tuple(a.value, b.value),
    })),
    inner.map(s => ({
      zod: z.record(z.string(), s.zod),
      value: fc.dictionary(anyString.filter(isOrdinaryKey), s.value, {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    })),
    inner.map(s => ({
      zod: z.map(z.string(), s.zod),
      value: fc.array(fc.tuple(anyString, s.value), { maxLength: 3 }).map(e => new Map(e)),
    })),
    anyObject(inner),
    anyUnion(inner),
  )
}

function isOrdinaryKey(key: string): boolean {
  return key !== '__proto__' && key !== 'constructor'
}

interface Field {
  readonly name: string
  readonly sample: Sample
  readonly form: 'required' | 'optional' | 'default'
}

const anyField = (inner: fc.Arbitrary<Sample>): fc.Arbitrary<Field> =>
  fc.record({
    name: fieldName,
    sample: inner,
    form: fc.constantFrom('required', 'required', 'optional', 'default'),
  })

function anyFields(inner: fc.Arbitrary<Sample>): fc.Arbitrary<Field[]> {
  return fc.uniqueArray(anyField(inner), { maxLength: 5, selector: field => field.name })
}

function shapeOf(fields: readonly Field[]): Record<string, z.ZodType> {
  return Object.fromEntries(
    fields.map(({ name, sample, form }) => {
      if (form === 'optional') return [name, sample.zod.optional()]
      if (form === 'required') return [name, sample.zod]
      const [fallback] = fc.sample(sample.value, { numRuns: 1, seed: 7 })
      return [name, sample.zod.default(fallback as never)]
    }),
  )
}

function valuesOf(fields: readonly Field[]): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(
      fields.map(({ name, sample, form }) => [
        name,
        form === 'optional' ? fc.option(sample.value, { nil: undefined }) : sample.value,
      ]),
    ),
    { noNullPrototype: true },
  )
}

export function anyObject(inner: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> {
  return anyFields(inner).map(fields => ({
    zod: z.object(shapeOf(fields)),
    value: valuesOf(fields),
  }))
}

/** Variants that begin alike or not, the discriminator somewhere. */
export function anyUnion(inner: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> {
  return fc.tuple(anyFields(inner), anyFields(inner), fc.boolean()).map(([a, b, shared]) => {
    const first = (fields: readonly Field[], kind: string) => ({
      ...(shared ? { n: z.int32() } : {}),
      kind: z.literal(kind),
      ...withoutN(shapeOf(fields)),
    })
    const tagged = (fields: readonly Field[], kind: string) =>
      valuesOf(fields.filter(field => field.name !== 'n')).map(value => ({
        ...(shared ? { n: 5 } : {}),
        kind,
        ...value,
      }))
    return {
      zod: z.discriminatedUnion('kind', [
        z.object(first(a, 'A') as { kind: z.ZodLiteral<'A'> }),
        z.object(first(b, 'B') as { kind: z.ZodLiteral<'B'> }),
      ]),
      value: fc.oneof(tagged(a, 'A'), tagged(b, 'B')),
    }
  })
}

function withoutN(shape: Record<string, z.ZodType>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).filter(([name]) => name !== 'n'))
}

/** Equal, with absent and undefined fields taken as the same, and `Object.is` for numbers. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  if (a instanceof Map && b instanceof Map) return isSame([...a], [...b])
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every(name =>
    isSame((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
  )
}
