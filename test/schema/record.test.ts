import { createRequire } from 'node:module'
import { describe, expect, test } from '@jest/globals'
import { ByteReader, ByteWriter } from '../../src/common/bytes.ts'
import { json } from '../../src/schema/json-format.ts'
import { type Infer, record } from '../../src/schema/record.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'

const Bid = record({
  auction: z.int32(),
  price: z.number(),
  channel: z.string().optional(),
  at: z.timestamp(),
  seen: z.timestamp({ json: 'iso' }),
  total: z.int64(),
  tags: z.map(z.string(), z.int32()),
  raw: z.bytes(),
  kind: z.enum(['buy', 'sell']).default('buy'),
})
type Bid = Infer<typeof Bid>

const Event = record(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('open'), id: z.int32() }),
    z.object({ kind: z.literal('close'), id: z.int32(), reason: z.string().nullable() }),
  ]),
)
type Event = Infer<typeof Event>

/** Compiles only when both types are the same. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
const inferred: [
  Same<
    Bid,
    {
      auction: number
      price: number
      channel?: string | undefined
      at: number
      seen: number
      total: bigint
      tags: Map<string, number>
      raw: Uint8Array
      kind: 'buy' | 'sell'
    }
  >,
  Same<Extract<Event, { kind: 'close' }>['reason'], string | null>,
  Same<Infer<z.ZodString>, string>,
] = [true, true, true]

describe('record()', () => {
  test('infers the type of its values', () => {
    expect(inferred).toEqual([true, true, true])
  })

  test('describes itself in words and as plain JSON', () => {
    expect(Event.name).toBe(
      '{kind: "open", id: int32} | {kind: "close", id: int32, reason: string | null}',
    )
    expect(Bid.fields).toContain('total')
    expect(JSON.parse(JSON.stringify(Bid.schema))).toEqual(Bid.schema)
    expect(Bid.schema).toMatchObject({
      fields: expect.arrayContaining([
        { name: 'kind', type: { kind: 'enum', values: ['buy', 'sell'] }, default: 'buy' },
        { name: 'at', type: { kind: 'timestamp' } },
      ]),
    })
  })

  test('tells how a table should hold the values', () => {
    const hints = [z.int32(), z.int(), z.timestamp(), z.bytes(), z.string()].map(
      schema => typeOf(schema as z.ZodType).storage,
    )
    expect(hints).toEqual(['int32', 'float64', 'float64', 'bytes', 'object'])
  })

  test('gives one type for one schema', () => {
    const schema = z.object({ a: z.int32() })
    expect(typeOf(schema)).toBe(typeOf(schema))
    expect(typeOf(Bid)).toBe(Bid)
  })

  test('takes schemas of another copy of zod', () => {
    // The CommonJS build is a module of its own.
    const other = createRequire(import.meta.url)('zod') as typeof z
    const foreign = other.object({
      id: other.int32(),
      name: other.string().min(1).optional(),
      kind: other.literal('x'),
    })
    expect(foreign.constructor).not.toBe(z.ZodObject)
    const type = record(foreign as unknown as z.ZodType<{ id: number; name?: string; kind: 'x' }>)
    const out = new ByteWriter()
    type.write(out, { id: 1, name: 'a', kind: 'x' })
    expect(type.read(new ByteReader(out.copy()))).toEqual({ id: 1, name: 'a', kind: 'x' })
    const decoder = json(type).makeDecoder()
    const text = Buffer.from('{"id":1,"name":"","kind":"x"}')
    decoder.setBatch(text)
    expect(() => decoder.read(0, text.length)).toThrow('cannot read a record at name')
  })

  interface Tree {
    children: Tree[]
  }
  const Tree: z.ZodType<Tree> = z.object({
    get children() {
      return z.array(Tree)
    },
  })

  const refused: Record<string, readonly [z.ZodType, string]> = {
    'a date': [z.object({ d: z.date() }), 'at d cannot be used: z.date()'],
    'a set in a list': [z.object({ a: z.array(z.set(z.string())) }), 'at a[] cannot be used'],
    'a plain union': [z.object({ u: z.union([z.string(), z.int()]) }), 'at u cannot be used'],
    'a bare transform': [z.object({ t: z.string().transform(Number) }), 'z.transform()'],
    'a recursive type': [Tree, 'it refers to itself'],
    'an object that keeps unknown keys': [z.looseObject({ a: z.string() }), 'the value cannot'],
    'a record with keys that are no strings': [
      z.object({ r: z.record(z.int(), z.string()) }),
      'must be strings',
    ],
    'a field named __proto__': [z.object({ ['__proto__']: z.string() }), 'cannot have this name'],
    'a scalar': [z.string(), 'a record has named fields, this is string'],
  }

  test.each(Object.entries(refused))('refuses %s and names the path', (_, [schema, text]) => {
    const make = () => record(schema as z.ZodType<object>)
    expect(make).toThrow(expect.objectContaining({ code: 'WEIR_SCHEMA_UNSUPPORTED' }))
    expect(make).toThrow(text)
  })
})
