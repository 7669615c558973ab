import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { WeirError } from '../../src/common/errors.ts'
import { makeJsonReader } from '../../src/schema/json-reader.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'
import { anyObject, anySample, anyUnion, isSame, type Sample } from './schema-arbitraries.ts'

type Outcome = { readonly value: unknown } | { readonly error: true }

/** What defines the meaning of a text. */
function reference(zod: z.ZodType, bytes: Buffer): Outcome {
  try {
    const result = zod.safeParse(JSON.parse(bytes.toString('utf8')))
    return result.success ? { value: result.data } : { error: true }
  } catch {
    return { error: true }
  }
}

function readAll(zod: z.ZodType, records: readonly Buffer[]): Outcome[] {
  const reader = makeJsonReader(typeOf(zod))
  const offsets: [number, number][] = []
  let size = 0
  for (const record of records) {
    offsets.push([size, size + record.length])
    size += record.length + 1
  }
  reader.setBatch(Buffer.concat(records.flatMap(record => [record, Buffer.from('\n')])))
  return offsets.map(([start, end]) => {
    try {
      return { value: reader.read(start, end) }
    } catch (error) {
      if (error instanceof WeirError && error.code === 'WEIR_RECORD_UNPARSABLE') {
        return { error: true }
      }
      throw error
    }
  })
}

function requireAgreement(zod: z.ZodType, records: readonly Buffer[]): void {
  const seen = readAll(zod, records)
  for (const [i, record] of records.entries()) {
    const wanted = reference(zod, record)
    if (!isSame(seen[i], wanted)) {
      throw new Error(`${record.toString()}: read ${show(seen[i])}, wanted ${show(wanted)}`)
    }
  }
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v)) ?? '-'
}

/** A change that leaves most of the text as it was. */
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  remove: fc.integer({ min: 0, max: 3 }),
  insert: fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      ',',
      '"',
      '\\',
      '0',
      '-',
      '1e3',
      '.5',
      '{',
      '}',
      '[',
      ']',
      'null',
      '\t',
    ),
    fc.constantFrom('\\u0041', '\\"', '€', '\u0000', 'true', ':', '"a":1,', '00', '-0', '\ud800'),
    fc.string({ maxLength: 3 }),
  ),
})

interface Mutation {
  readonly at: number
  readonly remove: number
  readonly insert: string
}

function mutated(text: string, change: Mutation): string {
  const at = change.at % (text.length + 1)
  return text.slice(0, at) + change.insert + text.slice(at + change.remove)
}

const structured = (finite: boolean): fc.Arbitrary<Sample> => {
  const inner = anySample(finite, 1)
  return fc.oneof(anyObject(inner), anyUnion(inner), anySample(finite, 2))
}

const withTexts = structured(true).chain(({ zod, value }) =>
  fc.record({
    zod: fc.constant(zod),
    values: fc.array(value, { minLength: 1, maxLength: 3 }),
    changes: fc.array(mutation, { maxLength: 4 }),
    indent: fc.constantFrom(undefined, 1),
  }),
)

describe('the JSON reader agrees with JSON.parse and zod', () => {
  test('on valid, reordered, indented and damaged texts of random schemas', () => {
    fc.assert(
      fc.property(withTexts, ({ zod, values, changes, indent }) => {
        const texts = values.map(value =>
          JSON.stringify(z.encode(zod, value as never), null, indent),
        )
        const broken = changes.map((change, i) =>
          mutated(texts[i % texts.length] as string, change),
        )
        const reordered = texts.map(reorder)
        requireAgreement(
          zod,
          [...texts, ...broken, ...reordered].map(text => Buffer.from(text)),
        )
      }),
      { numRuns: 600 },
    )
  })

  const traps: Record<string, readonly [z.ZodType, readonly string[]]> = {
    'integers at the edge of 32 bits': [
      z.object({ a: z.int32() }),
      ['2147483647', '2147483648', '-2147483648', '-2147483649', '9999999999', '21474836470'],
    ],
    'zeros in front, and signs': [
      z.object({ a: z.int32() }),
      ['0', '-0', '00', '007', '-07', '+1', '--1', '-', ''],
    ],
    'integers at the edge of safety': [
      z.object({ a: z.int() }),
      [
        '9007199254740991',
        '9007199254740992',
        '-9007199254740991',
        '999999999999999',
        '1e3',
        '1.0',
      ],
    ],
    'fractions and exponents': [
      z.object({ a: z.number() }),
      ['-0.0', '0.1', '1.', '.5', '1.5e3', '1e400', '-1E-400', '123456789.123456789', '1e', '0x1'],
    ],
    'control characters and escapes': [
      z.object({ a: z.string() }),
      ['"\t"', '"\u0000"', '"\\t"', '"\\u00e9"', '"\\x"', '"\\"', '"a\\"b"', '"\ud800"', '"\x7f"'],
    ],
    'names that objects have by nature': [
      z.object({ a: z.record(z.string(), z.int32()) }),
      [
        '{"__proto__":1}',
        '{"constructor":1}',
        '{"toString":1}',
        '{"b":1,"b":2}',
        '{"b":"x","b":2}',
      ],
    ],
    'numbers with bounds': [
      z.object({ a: z.int32().min(3).lt(7), b: z.string().max(2).optional() }),
      ['2', '3', '6', '7', '3,"b":"abc"', '3,"b":"€€"', '3,"b":null'],
    ],
    'refinements and changes of the value': [
      z.object({
        a: z
          .string()
          .trim()
          .toLowerCase()
          .refine(text => text !== 'no'),
      }),
      ['" YES "', '"No"', '1'],
    ],
  }

  test.each(Object.entries(traps))('on %s', (_, [zod, values]) => {
    const texts = values.flatMap(value => [`{"a":${value}}`, ` {"a":${value}}\r`, `{"a":${value}`])
    requireAgreement(
      zod,
      texts.map(text => Buffer.from(text)),
    )
  })

  test('on a name that would set a prototype', () => {
    const zod = z.record(z.string(), z.object({ x: z.int32() }))
    const [outcome] = readAll(zod, [Buffer.from('{"__proto__":{"x":1},"b":{"x":2}}')])
    const { value } = outcome as { value: Record<string, unknown> }
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(value).toEqual({ b: { x: 2 } })
  })

  test('on an object that refuses unknown keys, also after it learned their place', () => {
    const zod = z.strictObject({ a: z.int32(), b: z.int32() })
    const good = Array.from({ length: 20 }, () => '{"b":1,"a":2}')
    const texts = [...good, '{"b":1,"x":1,"a":2}', '{"a":1,"b":2,"x":3}', '{"b":1,"a":2}']
    requireAgreement(
      zod,
      texts.map(text => Buffer.from(text)),
    )
  })

  test('on text inside of what it skips', () => {
    const zod = z.object({ a: z.int32() })
    const skipped = [
      '"x"',
      '"\t"',
      '"\\q"',
      '"\\n"',
      '[1,]',
      '[01]',
      '{"b":tru}',
      '[{"c":[]}]',
      'nul',
    ]
    const learned = Array.from({ length: 20 }, () => '{"x":1,"a":2}')
    const texts = [...learned, ...skipped.map(value => `{"x":${value},"a":2}`)]
    requireAgreement(
      zod,
      texts.map(text => Buffer.from(text)),
    )
  })

  test('on damaged bytes, whatever UTF-8 they break', () => {
    const bytes = fc.tuple(withTexts, fc.nat(), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(bytes, ([{ zod, values }, at, byte]) => {
        const record = Buffer.from(JSON.stringify(z.encode(zod, values[0] as never)))
        record[at % record.length] = byte
        // A reader is given lines: a line feed inside one cannot be.
        if (byte !== 10) requireAgreement(zod, [record])
      }),
      { numRuns: 400 },
    )
  })

  test('after it learned another order, white space and unknown keys', () => {
    fc.assert(
      fc.property(withTexts, ({ zod, values, changes }) => {
        const texts = values.map(value => JSON.stringify(z.encode(zod, value as never)))
        const python = texts.map(text => spaced(addKey(reorder(text))))
        const many = Array.from({ length: 40 }, (_, i) => python[i % python.length] as string)
        const broken = changes.map((change, i) =>
          mutated(python[i % python.length] as string, change),
        )
        requireAgreement(
          zod,
          [...many, ...broken, ...texts].map(text => Buffer.from(text)),
        )
      }),
      { numRuns: 150 },
    )
  })
})

function reorder(text: string): string {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return text
  return JSON.stringify(Object.fromEntries(Object.entries(value).reverse()))
}

function addKey(text: string): string {
  return text.startsWith('{"') ? `{"unknown":[1,{"x":"y"}],${text.slice(1)}` : text
}

function spaced(text: string): string {
  return text.replaceAll('":', '": ').replaceAll(',"', ', "')
}
