import { describe, expect, test } from '@jest/globals'
import { ByteReader, ByteWriter } from '../../src/common/bytes.ts'
import { compareSchemas, migratingType } from '../../src/schema/compatibility.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'

interface Case {
  readonly old: z.ZodType
  readonly next: z.ZodType
  readonly value: unknown
  /** What the old value is in the new type; `refused` when there is none. */
  readonly becomes?: unknown
  readonly refused?: string
  readonly kind?: 'as-is' | 'migrate'
}

const a = z.object({ kind: z.literal('a'), n: z.int32() })
const b = z.object({ kind: z.literal('b') })

const cases: Record<string, Case> = {
  'the same schema stays as it is': {
    old: z.object({ a: z.int32() }),
    next: z.object({ a: z.int32() }),
    value: { a: 1 },
    becomes: { a: 1 },
    kind: 'as-is',
  },
  'an optional field is added as undefined': {
    old: z.object({ a: z.int32() }),
    next: z.object({ b: z.string().optional(), a: z.int32() }),
    value: { a: 1 },
    becomes: { b: undefined, a: 1 },
  },
  'a nullable field is added as null': {
    old: z.object({ a: z.int32() }),
    next: z.object({ a: z.int32(), b: z.string().nullable() }),
    value: { a: 1 },
    becomes: { a: 1, b: null },
  },
  'a field with a default is added with it, also where JSON has no such value': {
    old: z.object({ a: z.int32() }),
    next: z.object({ a: z.int32(), b: z.int64().default(7n), c: z.array(z.int32()).default([1]) }),
    value: { a: 1 },
    becomes: { a: 1, b: 7n, c: [1] },
  },
  'a required field cannot be added': {
    old: z.object({ o: z.object({}) }),
    next: z.object({ o: z.object({ b: z.string() }) }),
    value: { o: {} },
    refused: 'o.b',
  },
  'a field is removed, others change places': {
    old: z.object({ a: z.int32(), b: z.string(), c: z.boolean() }),
    next: z.object({ c: z.boolean(), a: z.int32() }),
    value: { a: 1, b: 'x', c: true },
    becomes: { c: true, a: 1 },
  },
  'numbers widen, in lists and maps too': {
    old: z.object({ a: z.int32(), l: z.array(z.int32()), m: z.map(z.string(), z.int32()) }),
    next: z.object({ a: z.number(), l: z.array(z.int()), m: z.map(z.string(), z.number()) }),
    value: { a: 1, l: [2], m: new Map([['k', 3]]) },
    becomes: { a: 1, l: [2], m: new Map([['k', 3]]) },
  },
  'numbers do not narrow': {
    old: z.object({ a: z.number() }),
    next: z.object({ a: z.int32() }),
    value: { a: 1 },
    refused: 'a',
  },
  'an enum grows at its end': {
    old: z.enum(['x', 'y']),
    next: z.enum(['x', 'y', 'z']),
    value: 'y',
    becomes: 'y',
    kind: 'as-is',
  },
  'an enum grows at its front': {
    old: z.enum(['x', 'y']),
    next: z.enum(['w', 'x', 'y']),
    value: 'y',
    becomes: 'y',
  },
  'an enum does not shrink': {
    old: z.enum(['x', 'y']),
    next: z.enum(['x', 'z']),
    value: 'y',
    refused: 'the value',
  },
  'an optional field becomes one with a default': {
    old: z.object({ a: z.string().optional() }),
    next: z.object({ a: z.string().default('none') }),
    value: { a: undefined },
    becomes: { a: 'none' },
  },
  'a type becomes optional': {
    old: z.object({ a: z.string() }),
    next: z.object({ a: z.string().optional() }),
    value: { a: 'x' },
    becomes: { a: 'x' },
  },
  'a union grows and its variants change': {
    old: z.discriminatedUnion('kind', [a, b]),
    next: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('new') }),
      b,
      a.extend({ n: z.number(), more: z.string().optional() }),
    ]),
    value: { kind: 'a', n: 1 },
    becomes: { kind: 'a', n: 1, more: undefined },
  },
  'a union does not lose a variant': {
    old: z.discriminatedUnion('kind', [a, b]),
    next: z.discriminatedUnion('kind', [b]),
    value: { kind: 'b' },
    refused: 'the value',
  },
  'the keys of a map stay': {
    old: z.map(z.int32(), z.string()),
    next: z.map(z.number(), z.string()),
    value: new Map(),
    refused: '{key}',
  },
  'text does not become a number': {
    old: z.object({ a: z.string() }),
    next: z.object({ a: z.number() }),
    value: { a: '' },
    refused: 'a',
  },
}

describe('schemas compared', () => {
  test.each(Object.entries(cases))('%s', (_, { old, next, value, becomes, refused, kind }) => {
    const from = typeOf(old)
    const to = typeOf(next)
    const comparison = compareSchemas(from.schema, to.schema)
    if (refused !== undefined) {
      expect(comparison).toMatchObject({ kind: 'incompatible', path: refused })
      expect(() => migratingType(from.schema, to)).toThrow('cannot become the new type')
      return
    }
    expect(comparison).toEqual({ kind: kind ?? 'migrate' })
    const out = new ByteWriter()
    from.write(out, value)
    const read = migratingType(from.schema, to).read(new ByteReader(out.copy()))
    expect(read).toStrictEqual(becomes)
    to.write(out, read)
  })

  test('a key may not even widen', () => {
    const [int32, float64] = [typeOf(z.int32()).schema, typeOf(z.number()).schema]
    expect(compareSchemas(int32, float64, { isKey: true })).toMatchObject({ kind: 'incompatible' })
    expect(compareSchemas(int32, int32, { isKey: true })).toEqual({ kind: 'as-is' })
  })

  test('a schema survives being stored as JSON', () => {
    const { schema } = typeOf(z.object({ a: z.int64().default(1n), b: z.enum(['x']).nullable() }))
    expect(compareSchemas(JSON.parse(JSON.stringify(schema)), schema)).toEqual({ kind: 'as-is' })
  })
})
