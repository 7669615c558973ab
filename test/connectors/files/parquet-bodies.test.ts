/** Parquet as the file sink writes it: read back by the source, and by another engine. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Sink } from '../../../src/api/sink.ts'
import type { JsonValue } from '../../../src/api/source.ts'
import {
  type FileSinkOptions,
  fileSink,
  fileSource,
  parquet,
} from '../../../src/connectors/files/index.ts'
import { type Infer, record } from '../../../src/schema/record.ts'
import type { Type } from '../../../src/schema/type.ts'
import { z } from '../../../src/schema/z.ts'
import { SinkRun, type SinkRunOptions } from '../../contract/sink-run.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { query } from '../../e2e/duckdb.ts'
import { scratchFolder } from './scratch-folder.ts'

const scratch = scratchFolder()
let folders = 0

/** A sink of these records into a folder of its own. */
async function start<T extends object>(
  type: Type<T>,
  options: Partial<FileSinkOptions<T>> = {},
  runOptions: Partial<SinkRunOptions> = {},
) {
  const folder = join(scratch.path, `out-${folders++}`)
  const sink = fileSink<T>({ path: folder, format: parquet(type), ...options })
  const run = await SinkRun.start(sink as Sink<T, JsonValue>, { parallelism: 1, ...runOptions })
  return { folder, run }
}

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter(name => !name.startsWith('.')).sort()

/** The rows of all files, as the source reads them. */
async function read<T extends object>(folder: string, type: Type<T>): Promise<readonly T[]> {
  const source = fileSource({ path: folder, format: parquet(type) })
  const run = await SourceRun.start(source, { parallelism: 1 })
  await run.runToEnd()
  await run.close()
  return run.emitted.map(one => one.value)
}

const Item = record({ id: z.int32(), name: z.string() })

describe('Parquet parts', () => {
  const Rich = record({
    text: z.string(),
    small: z.int32(),
    safe: z.int(),
    wide: z.int64(),
    double: z.number(),
    flag: z.boolean(),
    at: z.timestamp(),
    bytes: z.bytes(),
    kind: z.enum(['a', 'b']),
    only: z.literal('x'),
    maybe: z.string().optional(),
    none: z.number().nullable(),
    tags: z.array(z.string()),
    pairs: z.array(z.object({ k: z.string(), v: z.int32().nullable() })),
    place: z.object({ lat: z.number(), name: z.string().optional() }),
  })
  type Rich = Infer<typeof Rich>

  const rich = (id: number): Rich => ({
    text: `größer 😀 ${id}`,
    small: 7 - id,
    safe: Number.MAX_SAFE_INTEGER - id,
    wide: 2n ** 62n + BigInt(id),
    double: id / 3,
    flag: id % 2 === 0,
    at: 1_700_000_000_000 - id,
    bytes: Buffer.from([id % 256, 0, 255]),
    kind: id % 3 === 0 ? 'a' : 'b',
    only: 'x',
    ...(id % 2 === 0 ? { maybe: 'here' } : {}),
    none: id % 5 === 0 ? null : -0.5 * id,
    tags: Array.from({ length: id % 4 }, (_, i) => `t${i}`),
    pairs: Array.from({ length: id % 3 }, (_, i) => ({ k: `k${i}`, v: i === 0 ? null : id })),
    place: { lat: id, ...(id % 7 === 0 ? {} : { name: `p${id}` }) },
  })

  test.each(['none', 'gzip', 'zstd'] as const)('hold every kind of field, %s', async kind => {
    const rows = Array.from({ length: 3_000 }, (_, id) => rich(id))
    const { folder, run } = await start(Rich, { compression: kind })
    await run.write(...rows)
    await run.finish()
    expect(await filesIn(folder)).toEqual(['part-0-0-0.parquet'])
    expect(await read(folder, Rich)).toEqual(rows.map(row => ({ maybe: undefined, ...row })))
  })

  test('are read by another engine', async () => {
    const { folder, run } = await start(Rich, {}, { parallelism: 2 })
    await run.write(...Array.from({ length: 1_000 }, (_, id) => rich(id)))
    await run.commitUpTo((await run.checkpoint()).id)
    await run.write(...Array.from({ length: 1_000 }, (_, id) => rich(1_000 + id)))
    await run.finish()
    // Parts are closed at every checkpoint: a footer ends a file.
    expect(await filesIn(folder)).toHaveLength(4)
    const [row] = await query(
      `select count(*), sum(small)::varchar, max(wide)::varchar, count(maybe), sum(len(tags))::int,
         count(*) filter (where place.name is null), min(epoch_ms("at"))::varchar,
         count(*) filter (where double between 10 and 20)
       from read_parquet('${folder}/*.parquet')`,
    )
    const rows = Array.from({ length: 2_000 }, (_, id) => rich(id))
    const count = (holds: (row: Rich) => boolean): string => String(rows.filter(holds).length)
    expect(row).toEqual([
      '2000',
      String(rows.reduce((sum, one) => sum + one.small, 0)),
      String(2n ** 62n + 1_999n),
      count(one => one.maybe !== undefined),
      rows.reduce((sum, one) => sum + one.tags.length, 0),
      count(one => one.place.name === undefined),
      String(1_700_000_000_000 - 1_999),
      count(one => one.double >= 10 && one.double <= 20),
    ])
  })

  test('of many rows have several row groups; numbers keep their oddities', async () => {
    const Odd = record({ d: z.number() })
    const odd = [Number.NaN, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324]
    const rows = Array.from({ length: 120_000 }, (_, id) => ({ d: odd[id] ?? id }))
    const { folder, run } = await start(Odd)
    for (let at = 0; at < rows.length; at += 10_000) await run.write(...rows.slice(at, at + 10_000))
    await run.finish()
    const found = await read(folder, Odd)
    expect(found).toHaveLength(rows.length)
    const groups = `select count(distinct row_group_id)::int from parquet_metadata('${folder}/*')`
    expect(await query(groups)).toEqual([[3]])
    expect(found.every((one, i) => Object.is(one.d, rows[i]?.d))).toBe(true)
  })

  test('refuse what no column can hold, by its path, before the job starts', async () => {
    const Bad = record({ ok: z.string(), inner: z.object({ map: z.map(z.string(), z.int()) }) })
    await expect(start(Bad)).rejects.toMatchObject({
      code: 'WEIR_SCHEMA_UNSUPPORTED',
      message: expect.stringContaining('inner.map'),
    })
  })

  test('a record that is not what the schema says is refused alone', async () => {
    const { folder, run } = await start(Item)
    await run.write({ id: 1, name: 'a' })
    await expect(run.write({ id: 1.5, name: 'x' })).rejects.toMatchObject({
      code: 'WEIR_VALUE_UNSERIALIZABLE',
      message: expect.stringContaining('at id'),
    })
    await run.write({ id: 2, name: 'b' })
    await run.finish()
    expect((await read(folder, Item)).map(({ id }) => id)).toEqual([1, 2])
  })
})
