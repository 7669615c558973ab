import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { fileSource, parquet } from '../../../src/connectors/files/index.ts'
import { record } from '../../../src/schema/record.ts'
import { z } from '../../../src/schema/z.ts'
import { testSource } from '../../contract/source.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { scratchFolder } from './scratch-folder.ts'

const scratch = scratchFolder()
const path = (name: string): string => join(scratch.path, name)

/** DuckDB writes the files: another implementation of the format. */
async function write(name: string, query: string, options = ''): Promise<string> {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(`COPY (${query}) TO '${path(name)}' (FORMAT parquet${options})`)
  connection.closeSync()
  instance.closeSync()
  return path(name)
}

async function readAll(file: string, type: z.ZodType<object> | ReturnType<typeof record>) {
  const source = fileSource({ path: file, format: parquet(type as z.ZodType<object>) })
  const run = await SourceRun.start(source, { parallelism: 1 })
  try {
    await run.runToEnd()
    return { values: run.emitted.map(one => one.value), run }
  } finally {
    await run.close()
  }
}

const Item = record({ id: z.int32(), name: z.string(), price: z.number() })
const items = Array.from({ length: 6_000 }, (_, id) => ({
  id,
  name: `name ${id % 13}`,
  price: id / 8,
}))
const ITEMS =
  "SELECT range::INT AS id, 'name ' || range % 13 AS name, range / 8 AS price, 1 AS more"

beforeAll(() =>
  write('items.parquet', `${ITEMS} FROM range(6000)`, ', ROW_GROUP_SIZE 2048, COMPRESSION snappy'),
)

testSource('a Parquet file of several row groups', {
  make: () => fileSource({ path: path('items.parquet'), format: parquet(Item) }),
  expected: () => items,
  cuts: [0, 1, 2_047, 2_048, 2_049, 6_000],
})

describe('Parquet files', () => {
  test('carry the row number as offset and the row group as split', async () => {
    const { run } = await readAll(path('items.parquet'), Item)
    expect(run.emitted[5_000]).toMatchObject({
      offset: 5_000,
      splitId: `${path('items.parquet')}@4096`,
    })
  })

  test.each(['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw'])(
    'may be compressed by %s, coded by dictionary or plain',
    async codec => {
      const query = `${ITEMS}, uuid()::VARCHAR AS plain FROM range(3000)`
      const file = await write(`${codec}.parquet`, query, `, COMPRESSION ${codec}`)
      const Wide = record({
        plain: z.string(),
        id: z.int32(),
        name: z.string(),
        price: z.number(),
      })
      const { values } = await readAll(file, Wide)
      expect(values).toHaveLength(3_000)
      const rows = values as { plain: string; id: number; name: string; price: number }[]
      expect(rows.map(({ id, name, price }) => ({ id, name, price }))).toEqual(
        items.slice(0, 3_000),
      )
      expect(new Set(rows.map(row => row.plain)).size).toBe(3_000)
    },
  )

  test('hold values of all kinds', async () => {
    const file = await write(
      'kinds.parquet',
      `SELECT 9007199254740993::BIGINT AS big, 7::BIGINT AS small, 1.5::DOUBLE AS ratio,
        true AS flag, 'é' AS word, '\\x00\\xFF'::BLOB AS raw, [1, 2, 3]::INT[] AS list,
        TIMESTAMP '2001-01-01 06:00:00.123456' AS micros, TIMESTAMP_MS '1969-12-31 23:59:59.999' AS millis,
        DATE '2001-01-02' AS day, {'x': 1, 'y': 'a'} AS point, 'red' AS color, NULL::INT AS nothing`,
    )
    const Kinds = record({
      big: z.int64(),
      small: z.int(),
      ratio: z.number(),
      flag: z.boolean(),
      word: z.string(),
      raw: z.bytes(),
      list: z.array(z.int32()),
      micros: z.timestamp(),
      millis: z.timestamp({ json: 'iso' }),
      day: z.timestamp(),
      point: z.object({ x: z.int32(), y: z.string() }),
      color: z.enum(['red', 'green']),
      nothing: z.int32().nullable(),
      missing: z.string().optional(),
      filled: z.int32().default(5),
    })
    const { values } = await readAll(file, Kinds)
    expect(values).toEqual([
      {
        big: 9007199254740993n,
        small: 7,
        ratio: 1.5,
        flag: true,
        word: 'é',
        raw: Buffer.from([0, 255]),
        list: [1, 2, 3],
        micros: Date.UTC(2001, 0, 1, 6, 0, 0, 123),
        millis: -1,
        day: Date.UTC(2001, 0, 2),
        point: { x: 1, y: 'a' },
        color: 'red',
        nothing: null,
        missing: undefined,
        filled: 5,
      },
    ])
  })

  test('may have nulls in columns of either coding', async () => {
    const query = `SELECT range::INT AS id, CASE WHEN range % 3 = 0 THEN NULL ELSE 'v' || range % 5 END
      AS coded, CASE WHEN range % 4 = 0 THEN NULL ELSE uuid()::VARCHAR END AS plain FROM range(5000)`
    const file = await write('nulls.parquet', query)
    const Row = record({
      id: z.int32(),
      coded: z.string().nullable(),
      plain: z.string().optional(),
    })
    const { values } = await readAll(file, Row)
    const rows = values as { id: number; coded: string | null; plain?: string }[]
    expect(rows.every(row => (row.coded === null) === (row.id % 3 === 0))).toBe(true)
    expect(rows.every(row => row.coded === null || row.coded === `v${row.id % 5}`)).toBe(true)
    expect(rows.every(row => (row.plain === undefined) === (row.id % 4 === 0))).toBe(true)
  })

  test('reject the rows that the schema refuses, by their number', async () => {
    const query = `SELECT range::INT AS id, CASE WHEN range = 7 THEN NULL ELSE 'a' END AS name,
      CASE WHEN range = 9 THEN -1.0 ELSE 1.0 END AS price FROM range(20)`
    const file = await write('refused.parquet', query)
    const Row = record({ id: z.int32(), name: z.string(), price: z.number().min(0) })
    const { values, run } = await readAll(file, Row)
    expect(values).toHaveLength(18)
    expect(run.rejected.map(one => one.offset)).toEqual([7, 9])
    expect(run.rejected[0]?.error).toMatchObject({ code: 'WEIR_RECORD_UNPARSABLE' })
    expect(String(run.rejected[0]?.error)).toContain('name')
  })

  test('without a column of the schema are refused', async () => {
    const Other = record({ id: z.int32(), title: z.string() })
    await expect(readAll(path('items.parquet'), Other)).rejects.toMatchObject({
      code: 'WEIR_FILE_COLUMN_MISSING',
      message: expect.stringContaining('"title"; it has id, name, price, more'),
    })
  })

  test('that are truncated or no Parquet at all are refused by name', async () => {
    const whole = await readFile(path('items.parquet'))
    await writeFile(path('cut.parquet'), whole)
    await truncate(path('cut.parquet'), whole.length - 50)
    await writeFile(path('text.parquet'), 'hello')
    const broken = Buffer.from(whole)
    broken.fill(0xee, 4, 2_000)
    await writeFile(path('broken.parquet'), broken)
    for (const name of ['cut.parquet', 'text.parquet', 'broken.parquet']) {
      await expect(readAll(path(name), Item)).rejects.toMatchObject({
        code: 'WEIR_FILE_DAMAGED',
        message: expect.stringContaining(name),
      })
    }
  })

  test('of a package are found', async () => {
    const Flight = record({ date: z.timestamp(), delay: z.int32(), origin: z.string() })
    const source = fileSource({
      path: 'package:vega-datasets/data/flights-3m.parquet',
      format: parquet(Flight),
    })
    const run = await SourceRun.start(source, { parallelism: 1, batchSize: 500 })
    await run.runUntil(1)
    expect(run.emitted[0]?.value).toEqual({
      date: Date.UTC(2001, 0, 1, 0, 1),
      delay: 33,
      origin: 'LAS',
    })
    await run.close()
  })
})
