import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ByteReader, ByteWriter } from '../../src/common/bytes.ts'
import { WeirError } from '../../src/common/errors.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'
import { anySample, anyString, isSame } from './schema-arbitraries.ts'

const anyValues = anySample(false, 2).chain(({ zod, value }) =>
  fc.record({ zod: fc.constant(zod), values: fc.array(value, { minLength: 1, maxLength: 4 }) }),
)

describe('the bytes of values', () => {
  test('give back random values of random schemas, one after another', () => {
    fc.assert(
      fc.property(anyValues, ({ zod, values }) => {
        const type = typeOf(zod)
        const out = new ByteWriter(1)
        for (const value of values) type.write(out, value)
        const input = new ByteReader(out.copy())
        const seen = values.map(() => type.read(input))
        if (!isSame(seen, values)) throw new Error(`${String(seen)} instead of ${String(values)}`)
        expect(input.remaining).toBe(0)
      }),
      { numRuns: 400 },
    )
  })

  test('changed or cut give other values or WEIR_BYTES_MALFORMED', () => {
    const damage = fc.tuple(anyValues, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean())
    fc.assert(
      fc.property(damage, ([{ zod, values }, at, byte, cut]) => {
        const type = typeOf(zod)
        const out = new ByteWriter()
        type.write(out, values[0])
        const bytes = out.copy()
        if (bytes.length > 0) bytes[at % bytes.length] = byte
        try {
          type.read(new ByteReader(bytes, 0, cut ? at % (bytes.length + 1) : bytes.length))
        } catch (error) {
          if (!(error instanceof WeirError) || error.code !== 'WEIR_BYTES_MALFORMED') throw error
        }
      }),
      { numRuns: 400 },
    )
  })

  test('hold every string, long ones and lone surrogates too', () => {
    const type = typeOf(z.string())
    const long = fc.tuple(anyString, fc.nat({ max: 9000 })).map(([text, n]) => text + 'x'.repeat(n))
    fc.assert(
      fc.property(fc.oneof(anyString, long), value => {
        const out = new ByteWriter(1)
        type.write(out, value)
        expect(type.read(new ByteReader(out.copy()))).toBe(value)
      }),
    )
  })

  test('make objects of one hidden class, whatever was given', () => {
    const type = typeOf(z.object({ a: z.int32().optional(), b: z.string() }))
    const out = new ByteWriter()
    type.write(out, { b: 'x', a: 1 })
    type.write(out, { b: 'y' })
    const input = new ByteReader(out.copy())
    expect(Object.keys(type.read(input))).toEqual(['a', 'b'])
    expect(Object.keys(type.read(input))).toEqual(['a', 'b'])
  })

  const nested = z.object({
    id: z.int32(),
    lines: z.array(z.object({ price: z.number(), tags: z.map(z.string(), z.int()) })),
    pair: z.tuple([z.string(), z.boolean()]).nullable(),
    kind: z.enum(['a', 'b']),
  })
  const good = { id: 1, lines: [{ price: 1, tags: new Map([['x', 1]]) }], pair: null, kind: 'a' }

  const refused: Record<string, readonly [unknown, string]> = {
    'a fraction as int32': [{ ...good, id: 1.5 }, 'at id is not int32: 1.5'],
    'an int32 out of range': [{ ...good, id: 2 ** 31 }, 'at id is not int32: 2147483648'],
    'a string as number': [{ ...good, lines: [{ price: 'x' }] }, 'at lines[].price is not float64'],
    'an unsafe integer': [
      { ...good, lines: [{ price: 1, tags: new Map([['x', 2 ** 60]]) }] },
      'at lines[].tags{} is not int',
    ],
    'undefined as object': [{ ...good, lines: [undefined] }, 'at lines[] is not {price'],
    'a short tuple': [{ ...good, pair: ['x'] }, 'at pair[1] is not boolean: undefined'],
    'an unknown enum value': [{ ...good, kind: 'c' }, 'at kind is not "a" | "b": "c"'],
    'nothing at all': [null, 'the value is not {id'],
  }

  test.each(Object.entries(refused))(
    'refuse %s, name the path, leave nothing',
    (_, [value, text]) => {
      const out = new ByteWriter()
      out.writeUint8(7)
      const write = () => typeOf(nested).write(out, value as never)
      expect(write).toThrow(expect.objectContaining({ code: 'WEIR_VALUE_UNSERIALIZABLE' }))
      expect(write).toThrow(text)
      expect(out.length).toBe(1)
    },
  )
})

describe('strings of one object', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 70 }),
    fc.string({ unit: 'binary', maxLength: 70 }),
    fc.constantFrom('', 'a', 'ж', '\ud800', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(9_000)),
  )
  const schema = z.object({
    id: z.int32(),
    a: z.string(),
    b: z.string(),
    at: z.timestamp(),
    kind: z.enum(['k', 'l']),
    c: z.string(),
    more: z.string().optional(),
    d: z.string(),
    e: z.string(),
  })
  const value = fc.record({
    id: fc.integer(),
    a: text,
    b: text,
    at: fc.integer({ min: 0 }),
    kind: fc.constantFrom('k', 'l'),
    c: text,
    more: fc.option(text, { nil: undefined }),
    d: text,
    e: text,
  })

  test('are read alike, whether together or one by one', () => {
    const type = typeOf(schema)
    fc.assert(
      fc.property(value, one => {
        const out = new ByteWriter(1)
        type.write(out, one as never)
        type.write(out, one as never)
        const input = new ByteReader(out.copy())
        expect([type.read(input), type.read(input)]).toEqual([one, one])
        expect(input.remaining).toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  test('that end early are malformed bytes', () => {
    const type = typeOf(schema)
    fc.assert(
      fc.property(value, fc.double({ min: 0, max: 1, noNaN: true }), (one, part) => {
        const out = new ByteWriter(1)
        type.write(out, one as never)
        const limit = Math.floor(part * (out.length - 1))
        expect(() => type.read(new ByteReader(out.copy(), 0, limit))).toThrow(
          expect.objectContaining({ code: 'WEIR_BYTES_MALFORMED' }),
        )
      }),
      { numRuns: 500 },
    )
  })
})
