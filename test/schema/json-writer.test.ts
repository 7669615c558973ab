import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ByteWriter } from '../../src/common/bytes.ts'
import { json } from '../../src/schema/json-format.ts'
import { z } from '../../src/schema/z.ts'
import { anyObject, anySample, anyUnion } from './schema-arbitraries.ts'

const inner = anySample(true, 1)
const anyBatch = fc.oneof(anyObject(inner), anyUnion(inner), anySample(true, 2)).chain(sample =>
  fc.record({
    zod: fc.constant(sample.zod),
    values: fc.array(sample.value, { minLength: 1, maxLength: 4 }),
  }),
)

function written(zod: z.ZodType, value: unknown): string {
  const out = new ByteWriter(1)
  json(zod).makeEncoder().write(out, value)
  return out.view().toString()
}

describe('the JSON writer', () => {
  test('writes JSON.stringify of the encoded value, for random schemas and values', () => {
    fc.assert(
      fc.property(anyBatch, ({ zod, values }) => {
        const out = new ByteWriter(1)
        const encoder = json(zod).makeEncoder()
        for (const value of values) encoder.write(out, value)
        const wanted = values.map(value => JSON.stringify(z.encode(zod, value as never))).join('')
        if (out.view().toString() !== wanted) {
          throw new Error(`${out.view().toString()} instead of ${wanted}`)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('writes every number as JSON.stringify does', () => {
    const any = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.integer(), fc.constant(-(2 ** 31)))
    fc.assert(
      fc.property(any, value => {
        expect(written(z.number(), value)).toBe(JSON.stringify(value))
      }),
      { numRuns: 2000 },
    )
  })

  test('writes times as toISOString does', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), fc.integer(), (far, near) => {
        for (const millis of [far, near * 1000 + 1]) {
          const text = written(z.timestamp({ json: 'iso' }), millis)
          expect(text).toBe(`"${new Date(millis).toISOString()}"`)
        }
      }),
      { numRuns: 1000 },
    )
  })

  const refused: Record<string, readonly [z.ZodType, unknown, string]> = {
    'a string for a number': [z.object({ a: z.number() }), { a: 'x' }, 'a'],
    'a missing field': [z.object({ a: z.string() }), {}, 'a'],
    'an unknown variant': [
      z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') })]),
      { kind: 'b' },
      'kind',
    ],
    'a time that is none': [
      z.object({ at: z.timestamp({ json: 'iso' }) }),
      { at: Number.NaN },
      'at',
    ],
    'a one-way transform': [
      z.object({ t: z.string().transform(Number).pipe(z.number()) }),
      { t: 1 },
      't',
    ],
  }

  test.each(Object.entries(refused))(
    'refuses %s and leaves nothing behind',
    (_, [zod, value, at]) => {
      const out = new ByteWriter()
      out.writeUint8(1)
      expect(() => json(zod).makeEncoder().write(out, value)).toThrow(`the value at ${at} is not`)
      expect(out.length).toBe(1)
    },
  )
})
