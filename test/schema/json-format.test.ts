import { describe, expect, test } from '@jest/globals'
import { ByteWriter } from '../../src/common/bytes.ts'
import { json } from '../../src/schema/json-format.ts'
import { makeJsonReader } from '../../src/schema/json-reader.ts'
import { type Infer, record } from '../../src/schema/record.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'

const Event = record(
  z.discriminatedUnion('kind', [
    z.object({ n: z.int32(), kind: z.literal('person'), name: z.string(), at: z.timestamp() }),
    z.object({
      n: z.int32(),
      kind: z.literal('bid'),
      price: z.number(),
      channel: z.string().optional(),
      at: z.timestamp(),
    }),
  ]),
)

const events: Infer<typeof Event>[] = [
  { n: 0, kind: 'person', name: 'Ann "the" Other\n', at: 1_700_000_000_000 },
  { n: 1, kind: 'bid', price: 12.75, channel: 'naïve 😀', at: 1_700_000_000_001 },
  { n: 2, kind: 'bid', price: -3e-7, channel: undefined, at: 0 },
  { n: -2_147_483_647, kind: 'bid', price: 123_456_789.123_456_78, channel: '', at: -5 },
]

function batchOf(texts: readonly string[]): { bytes: Buffer; offsets: [number, number][] } {
  const offsets: [number, number][] = []
  let size = 0
  for (const text of texts) {
    const length = Buffer.byteLength(text)
    offsets.push([size, size + length])
    size += length + 1
  }
  return { bytes: Buffer.from(`${texts.join('\n')}\n`), offsets }
}

describe('json()', () => {
  test('reads what it wrote, without the slow way, escapes and all', () => {
    const out = new ByteWriter(1)
    const texts = events.map(event => {
      out.clear()
      json(Event).makeEncoder().write(out, event)
      return out.view().toString()
    })
    expect(texts).toEqual(events.map(event => JSON.stringify(event)))
    const reader = makeJsonReader(Event)
    const { bytes, offsets } = batchOf(texts)
    reader.setBatch(bytes)
    expect(offsets.map(([start, end]) => reader.read(start, end))).toEqual(events)
    expect(reader.slowRecords).toBe(0)
  })

  const fast: Record<string, readonly [z.ZodType, readonly unknown[]]> = {
    text: [z.string(), ['', 'abc', 'a "quoted" \\ one', 'größer', '\ud800', 'x'.repeat(300)]],
    integers: [z.int(), [0, 7, -7, 1_700_000_000_000, 999_999_999_999_999]],
    doubles: [z.number(), [0.5, -73.98174286, 1e21, 5e-324, 0.1 + 0.2, 123456789.25, 1]],
    'other leaves': [
      z.tuple([z.boolean(), z.null(), z.int64(), z.bytes(), z.timestamp({ json: 'iso' })]),
      [[true, null, 12n, Buffer.from('abc'), 978_328_800_123]],
    ],
    choices: [z.enum(['a', 'bb', 'drei€']), ['a', 'bb', 'drei€']],
    lists: [z.array(z.array(z.int32()).nullable()), [[], [[]], [[1, 2], null, [3]]]],
    dictionaries: [z.record(z.string(), z.int32()), [{}, { '': 1, 'a b': 2 }]],
    maps: [
      z.map(z.string(), z.boolean()),
      [
        new Map(),
        new Map([
          ['x', true],
          ['y', false],
        ]),
      ],
    ],
    'optional fields': [
      z.object({ a: z.int32().optional(), b: z.string().optional(), c: z.int32().default(3) }),
      [{ c: 1 }, { a: 1, b: 'x', c: 2 }, { b: 'y', c: 3 }],
    ],
    'a codec of the user': [
      z.object({
        a: z.codec(z.string(), z.int(), { decode: Number, encode: String }),
        b: z.int32(),
      }),
      [{ a: 5, b: 6 }],
    ],
    'variants that begin differently': [
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), x: z.int32() }),
        z.object({ y: z.int32(), kind: z.enum(['b', 'c']) }),
      ]),
      [
        { kind: 'a', x: 1 },
        { y: 2, kind: 'b' },
        { y: 3, kind: 'c' },
      ],
    ],
  }

  test.each(Object.entries(fast))('reads %s the fast way', (_, [schema, values]) => {
    const reader = makeJsonReader(typeOf(schema))
    const { bytes, offsets } = batchOf(values.map(value => JSON.stringify(z.encode(schema, value))))
    reader.setBatch(bytes)
    expect(offsets.map(([start, end]) => reader.read(start, end))).toEqual(values)
    expect(reader.slowRecords).toBe(0)
  })

  test('reads records in any order, and a batch of one record that fills its memory', () => {
    const reader = makeJsonReader(Event)
    const { bytes, offsets } = batchOf(events.map(event => JSON.stringify(event)))
    reader.setBatch(bytes)
    const backwards = offsets.toReversed().map(([start, end]) => reader.read(start, end))
    expect(backwards).toEqual(events.toReversed())
    for (const event of events) {
      const alone = Buffer.from(new Uint8Array(Buffer.from(JSON.stringify(event))).buffer)
      reader.setBatch(alone)
      expect(reader.read(0, alone.length)).toEqual(event)
    }
    expect(reader.slowRecords).toBe(0)
  })

  const layouts: Record<string, (event: object) => string> = {
    'with blanks after colons and commas': event =>
      JSON.stringify(event, null, 1)
        .replaceAll('\n}', '}')
        .replaceAll('{\n ', '{')
        .replaceAll(',\n ', ', '),
    'with the keys the other way round': event =>
      JSON.stringify(Object.fromEntries(Object.entries(event).reverse())),
    'with keys that the schema does not know': event =>
      JSON.stringify({ trace: { id: [1, 'x'] }, ...event, zone: null }),
  }

  test.each(Object.entries(layouts))('learns records %s', (_, write) => {
    const plain = events.map(event => ({ ...event, ...('name' in event ? { name: 'Ann' } : {}) }))
    const many = Array.from({ length: 300 }, (_, i) => plain[i % plain.length] as object)
    const reader = makeJsonReader(Event)
    const { bytes, offsets } = batchOf(many.map(write))
    reader.setBatch(bytes)
    expect(offsets.map(([start, end]) => reader.read(start, end))).toEqual(many)
    expect(reader.slowRecords).toBeLessThan(150)
    const before = reader.slowRecords
    for (const [start, end] of offsets) reader.read(start, end)
    expect(reader.slowRecords).toBe(before)
  })

  test('reads a part of the fields, and does not look at the others', () => {
    const format = json(Event, { fields: ['price', 'at'] })
    expect(format.type.name).toBe(
      '{kind: "person", at: timestamp} | {kind: "bid", price: float64, at: timestamp}',
    )
    const decoder = format.makeDecoder()
    const texts = [
      '{"n":1,"kind":"bid","price":2,"at":3}',
      '{"n":1,"kind":"person","name":"x","at":3}',
      '{"at":3,"kind":"bid","price":2}',
      '{"n":1,"kind":"bid","price":2,"channel":7,"at":3',
    ]
    const { bytes, offsets } = batchOf(texts)
    decoder.setBatch(bytes)
    const read = offsets.map(([start, end]) => decoder.read(start, end))
    const bid = { kind: 'bid', price: 2, at: 3 }
    expect(read.slice(0, 3)).toEqual([bid, { kind: 'person', at: 3 }, bid])
    expect(read[3]).toEqual(bid)
    expect(() => json(Event, { fields: ['prize' as 'price'] })).toThrow('at prize cannot be used')
  })

  test('says where a record is wrong', () => {
    const decoder = json(Event).makeDecoder()
    const { bytes, offsets } = batchOf(['{"n":1,"kind":"bid","price":"x","at":3}', '{"n":'])
    decoder.setBatch(bytes)
    const read = (i: number) => () => decoder.read(...(offsets[i] as [number, number]))
    expect(read(0)).toThrow(
      expect.objectContaining({
        code: 'WEIR_RECORD_UNPARSABLE',
        details: {
          path: 'price',
          reason: 'Invalid input: expected number, received string',
          excerpt: JSON.stringify('{"n":1,"kind":"bid","price":"x","at":3}'),
        },
      }),
    )
    expect(read(1)).toThrow('Unexpected end of JSON input')
  })

  test('refuses types that JSON cannot carry, and types without a schema', () => {
    const plainZod = z.object({ total: z.bigint() })
    expect(() => json(plainZod)).toThrow('at total cannot be used')
    const { name, schema, storage, write, read } = Event
    expect(() => json({ name, schema, storage, write, read })).toThrow('was not made from a schema')
  })

  test('takes a refinement that throws for a bad record', () => {
    const Odd = z.object({ a: z.int32() }).refine(() => {
      throw new Error('boom')
    })
    const decoder = json(Odd).makeDecoder()
    const text = Buffer.from('{"a":1}')
    decoder.setBatch(text)
    expect(() => decoder.read(0, text.length)).toThrow('the schema threw Error: boom')
  })
})

describe('z', () => {
  const forms: Record<string, readonly [z.ZodType, unknown, string]> = {
    'timestamps as numbers': [z.timestamp(), 978_328_800_000, '978328800000'],
    'timestamps as ISO 8601': [
      z.timestamp({ json: 'iso' }),
      978_328_800_000,
      '"2001-01-01T06:00:00.000Z"',
    ],
    'int64 as text': [z.int64(), -(2n ** 63n), '"-9223372036854775808"'],
    'bytes as base64': [z.bytes(), Buffer.from([1, 2, 255]), '"AQL/"'],
    'maps as pairs': [z.map(z.int32(), z.boolean()), new Map([[1, true]]), '[[1,true]]'],
  }

  test.each(Object.entries(forms))('carries %s in JSON', (_, [schema, value, text]) => {
    expect(JSON.stringify(z.encode(schema, value))).toBe(text)
    expect(schema.parse(JSON.parse(text))).toEqual(value)
  })

  const times: Record<string, number | undefined> = {
    '2001-01-01T06:00:00Z': 978_328_800_000,
    '2001-01-01T06:00:00': 978_328_800_000,
    '2001-01-01T08:00:00+02:00': 978_328_800_000,
    '2001-01-01T06:00:00.123456Z': 978_328_800_123,
    '2001-02-29T06:00:00Z': undefined,
    '2000-02-29T00:00:00.5Z': 951_782_400_500,
    yesterday: undefined,
  }

  test.each(Object.entries(times))('reads the time %s', (text, millis) => {
    const schema = z.timestamp({ json: 'iso' })
    expect(schema.safeParse(text).data).toBe(millis)
    const record = Buffer.from(JSON.stringify(text))
    const decoder = json(schema).makeDecoder()
    decoder.setBatch(record)
    const read = () => decoder.read(0, record.length)
    if (millis === undefined) expect(read).toThrow('cannot read a record')
    else expect(read()).toBe(millis)
  })

  test('reads int64 from a safe number too, and refuses what does not fit', () => {
    const schema = z.int64()
    expect(schema.parse(7)).toBe(7n)
    expect(schema.safeParse('9223372036854775808').success).toBe(false)
    expect(schema.safeParse(1.5).success).toBe(false)
    expect(schema.safeParse('0x10').success).toBe(false)
  })
})
