import { describe, expect, test } from '@jest/globals'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { ByteWriter } from '../../../src/common/bytes.ts'
import { csvLine } from '../../../src/connectors/files/csv-encoder.ts'
import { splitCsv } from '../../../src/connectors/files/csv-fields.ts'
import { csvFraming } from '../../../src/connectors/files/framing.ts'
import { csv } from '../../../src/connectors/files/index.ts'
import { record } from '../../../src/schema/record.ts'
import { z } from '../../../src/schema/z.ts'

const dialect = { delimiter: ',', quote: '"' }

function readOne(type: z.ZodType<object>, fields: readonly string[], header?: string): object {
  const line = Buffer.from(csvLine(fields, dialect))
  const decoder = csv(type, { header: header !== undefined }).makeDecoder(header)
  decoder.setBatch(line)
  return decoder.read(0, line.length)
}

describe('a CSV field becomes a value of its type', () => {
  const cases: Record<string, { type: z.ZodType; good: [string, unknown][]; bad: string[] }> = {
    int32: {
      type: z.int32(),
      good: [
        ['12', 12],
        ['-2147483648', -2147483648],
        [' 7 ', 7],
        ['1e3', 1000],
      ],
      bad: ['', '2147483648', '1.5', 'x', '0x10', '1 2'],
    },
    'int with bounds': { type: z.int().min(3), good: [['3', 3]], bad: ['2', '-'] },
    number: {
      type: z.number(),
      good: [
        ['1.5', 1.5],
        ['.5', 0.5],
        ['-2.', -2],
      ],
      bad: ['', 'one', '1,5', '--1'],
    },
    'a positive number': { type: z.number().positive(), good: [['1', 1]], bad: ['0', '-1'] },
    int64: {
      type: z.int64(),
      good: [['9007199254740993', 9007199254740993n]],
      bad: ['9223372036854775808', '1.0', ''],
    },
    boolean: {
      type: z.boolean(),
      good: [
        ['true', true],
        ['FALSE', false],
        ['1', true],
      ],
      bad: ['yes', ''],
    },
    timestamp: {
      type: z.timestamp(),
      good: [
        ['978328800000', 978328800000],
        ['2001-01-01T06:00:00Z', 978328800000],
        ['2001-01-01 06:00:00', 978328800000],
        ['2001-01-01T07:00+01:00', 978328800000],
        ['2001-01-01', 978307200000],
        ['2001-01-01 00:00:00.123456', 978307200123],
      ],
      bad: ['', 'yesterday', '2001-13-01', '01/02/2001'],
    },
    string: {
      type: z.string(),
      good: [
        ['', ''],
        ['a,b', 'a,b'],
        ['ü', 'ü'],
      ],
      bad: [],
    },
    'a checked string': { type: z.string().min(2), good: [['ab', 'ab']], bad: ['a'] },
    enum: { type: z.enum(['red', 'green']), good: [['red', 'red']], bad: ['blue', ''] },
    literal: { type: z.literal(5), good: [['5', 5]], bad: ['6'] },
    bytes: { type: z.bytes(), good: [['AP8=', Buffer.from([0, 255])]], bad: [] },
    optional: {
      type: z.int32().optional(),
      good: [
        ['', undefined],
        ['1', 1],
      ],
      bad: ['x'],
    },
    nullable: { type: z.int32().nullable(), good: [['', null]], bad: ['x'] },
    'with a default': {
      type: z.int32().default(9),
      good: [
        ['', 9],
        ['1', 1],
      ],
      bad: ['x'],
    },
    'an array': { type: z.array(z.int32()), good: [['[1,2]', [1, 2]]], bad: ['1,2', '["a"]'] },
    'of a coercion': { type: z.coerce.number(), good: [['5', 5]], bad: ['x'] },
  }
  const rows = Object.entries(cases).flatMap(([kind, c]) => [
    ...c.good.map(([text, value]) => ({ kind, text, type: c.type, value })),
    ...c.bad.map(text => ({ kind, text, type: c.type, value: undefined, refused: true })),
  ])
  test.each(rows)('$kind: $text', row => {
    const read = (): object => readOne(z.object({ a: z.string(), b: row.type }), ['a', row.text])
    if ('refused' in row) expect(read).toThrow(/cannot read a record at b/)
    else expect(read()).toEqual({ a: 'a', b: row.value })
  })

  test('and checks of the whole object hold', () => {
    const type = z.object({ a: z.int32(), b: z.int32() }).refine(({ a, b }) => a < b, 'a below b')
    expect(readOne(type, ['1', '2'])).toEqual({ a: 1, b: 2 })
    expect(() => readOne(type, ['2', '1'])).toThrow(/a below b/)
  })
})

describe('the columns of a CSV file', () => {
  const type = z.object({ a: z.string(), b: z.string().optional() })

  test('are found by the header, in any order', () => {
    expect(readOne(type, ['1', '2', '3'], 'b,x,a')).toEqual({ a: '3', b: '1' })
  })

  test('may lack what the schema does not require', () => {
    expect(readOne(type, ['3'], 'a')).toEqual({ a: '3', b: undefined })
  })

  test('must be as many in every record', () => {
    expect(() => readOne(type, ['1', '2', '3'], 'a,b')).toThrow(/3 fields, the file has 2 columns/)
  })

  test('may be given where the file has no header', () => {
    const decoder = csv(type, { header: ['b', 'a'] }).makeDecoder()
    decoder.setBatch(Buffer.from('1,2'))
    expect(decoder.read(0, 3)).toEqual({ a: '2', b: '1' })
  })

  test.each(['', ',,', 'é', '\n'])('cannot be divided by %j', delimiter => {
    expect(() => csv(type, { delimiter })).toThrow(/delimiter/)
  })

  test('cannot come from a schema without fields', () => {
    expect(() => csv(z.string() as never)).toThrow(/no fields/)
  })
})

describe('CSV agrees with csv-parse', () => {
  const field = fc.string({
    unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é'),
    maxLength: 6,
  })
  const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1 })

  test('on what it writes', () => {
    fc.assert(
      fc.property(table, rows => {
        const text = rows.map(row => `${csvLine(row, dialect)}\n`).join('')
        const theirs = parse(text, { relax_column_count: true, record_delimiter: '\n' })
        expect(theirs).toEqual(rows)
        expect(frames(text).map(line => splitCsv(line, dialect, []).slice())).toEqual(rows)
      }),
    )
  })

  test('encoded records read back as they were', () => {
    const Row = record({ id: z.int32(), text: z.string(), at: z.timestamp({ json: 'iso' }) })
    const format = csv(Row, { delimiter: ';', quote: "'" })
    fc.assert(
      fc.property(fc.integer(), fc.string(), fc.integer({ min: 0, max: 2e12 }), (id, text, at) => {
        const value = { id: id | 0, text: text.toWellFormed(), at }
        const out = new ByteWriter()
        format.makeEncoder().write(out, value)
        const decoder = format.makeDecoder(format.headerLine())
        decoder.setBatch(out.copy())
        expect(decoder.read(0, out.length)).toEqual(value)
      }),
    )
  })
})

/** The records of the text, as the reader would frame them. */
function frames(text: string): string[] {
  const bytes = Buffer.from(text)
  const { findEnd } = csvFraming(0x2c, 0x22)
  const found: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = findEnd(bytes, at)
    expect(end).toBeGreaterThanOrEqual(0)
    found.push(bytes.toString('utf8', at, end))
    at = end + 1
  }
  return found
}
