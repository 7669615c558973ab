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
