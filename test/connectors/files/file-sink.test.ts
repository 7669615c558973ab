import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import type { Sink } from '../../../src/api/sink.ts'
import type { JsonValue } from '../../../src/api/source.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { type FileSinkParts, fileSink } from '../../../src/connectors/files/file-sink.ts'
import {
  csv,
  type FileSinkOptions,
  fileSource,
  parquet,
} from '../../../src/connectors/files/index.ts'
import { localDisk, type OutputDisk } from '../../../src/connectors/files/output-file.ts'
import { json } from '../../../src/schema/json-format.ts'
import { record } from '../../../src/schema/record.ts'
import { text } from '../../../src/schema/text-format.ts'
import type { Type } from '../../../src/schema/type.ts'
import { z } from '../../../src/schema/z.ts'
import { testSink } from '../../contract/sink.ts'
import { SinkRun, type SinkRunOptions } from '../../contract/sink-run.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { ManualClock } from '../manual-clock.ts'
import { scratchFolder } from './scratch-folder.ts'

const scratch = scratchFolder()
let folders = 0
let folder = ''
const newFolder = (): string => {
  folder = join(scratch.path, `out-${folders++}`)
  return folder
}

const Item = record({ id: z.int32(), name: z.string() })
type Item = { readonly id: number; readonly name: string }
const item = (id: number): Item => ({ id, name: `item ${id}` })

/** The visible files, by name: what another program would read. */
async function visibleFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile() && !entry.name.startsWith('.'))
    .map(entry => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort()
}

async function hiddenFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.name.startsWith('.')).map(entry => entry.name)
}

const unpack: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  '.gz': gunzipSync,
  '.zst': zstdDecompressSync,
}

async function visibleLines(path: string): Promise<string[]> {
  const texts = await Promise.all(
    (await visibleFiles(path)).map(async name => {
      const bytes = await readFile(join(path, name))
      return (unpack[extname(name)]?.(bytes) ?? bytes).toString()
    }),
  )
  return texts.flatMap(one => one.split('\n').slice(0, -1))
}

/** The rows of the visible Parquet files. */
async function readParquet<T extends object>(type: Type<T>): Promise<readonly T[]> {
  if ((await visibleFiles(folder)).length === 0) return []
  const run = await SourceRun.start(fileSource({ path: folder, format: parquet(type) }), {
    parallelism: 1,
  })
  await run.runToEnd()
  await run.close()
  return run.emitted.map(one => one.value)
}

const sinkOf = (
  options: Partial<FileSinkOptions<Item>> = {},
  parts: FileSinkParts = {},
): Sink<Item, JsonValue> =>
  fileSink<Item>({ path: folder, format: json(Item), ...options }, parts) as Sink<Item, JsonValue>

const start = (
  options: Partial<FileSinkOptions<Item>> = {},
  run: Partial<SinkRunOptions> = {},
  parts: FileSinkParts = {},
): Promise<SinkRun<Item>> => SinkRun.start(sinkOf(options, parts), { parallelism: 1, ...run })

const contract = {
  clear: async () => {
    await mkdir(newFolder(), { recursive: true })
  },
  recordAt: item,
  visible: () => visibleLines(folder),
  textOf: (value: Item) => JSON.stringify(value),
}

testSink('the file sink', { ...contract, make: () => sinkOf() })

testSink('the file sink that appends', {
  ...contract,
  make: () => sinkOf({ onExisting: 'append' }),
})

testSink('the file sink with partitions and small parts', {
  ...contract,
  make: () =>
    sinkOf({ partitionBy: ({ id }) => `tens=${id % 7}/odd=${id % 2}`, rolling: { sizeBytes: 60 } }),
})

testSink('the file sink that compresses', {
  ...contract,
  make: () => sinkOf({ compression: 'gzip' }),
})

testSink('the file sink of Parquet files', {
  ...contract,
  make: () => sinkOf({ format: parquet(Item) }),
  visible: async () => (await readParquet(Item)).map(value => JSON.stringify(value)),
})

describe('the parts of a file sink', () => {
  test('are named by subtask, epoch and counter, below their partition', async () => {
    newFolder()
    const run = await start({
      partitionBy: ({ id }) => `half=${id < 5 ? 'low' : 'high'}`,
      prefix: 'flights',
    })
    for (let id = 0; id < 10; id++) await run.write(item(id))
    await run.commitUpTo((await run.checkpoint()).id)
    await run.write(item(10))
    await run.finish()
    expect(await visibleFiles(folder)).toEqual([
      'half=high/flights-0-0-1.jsonl',
      'half=high/flights-0-2-2.jsonl',
      'half=low/flights-0-0-0.jsonl',
    ])
    expect(await hiddenFiles(folder)).toEqual([])
  })

  test('are closed at their size', async () => {
    newFolder()
    const run = await start({ rolling: { sizeBytes: 100 } })
    for (let id = 0; id < 20; id++) await run.write(item(id))
    await run.finish()
    const sizes = await Promise.all(
      (await visibleFiles(folder)).map(async name => (await stat(join(folder, name))).size),
    )
    expect(sizes.length).toBeGreaterThan(4)
    expect(Math.max(...sizes)).toBeLessThan(130)
  })

  test('are closed at their age, and when they got no record', async () => {
    newFolder()
    const clock = new ManualClock()
    const partitionBy = ({ id }: Item): string => (id === 0 ? 'quiet' : 'busy')
    const rolling = { interval: '60s', inactivity: '20s' } as const
    const run = await start({ partitionBy, rolling }, { clock })
    await run.write(item(0))
    for (let second = 1; second <= 125; second++) {
      await run.write(item(second))
      clock.advance(1_000)
    }
    await run.finish()
    const files = await visibleFiles(folder)
    expect(files.filter(name => name.startsWith('quiet'))).toHaveLength(1)
    expect(files.filter(name => name.startsWith('busy'))).toHaveLength(3)
    expect(await visibleLines(folder)).toHaveLength(126)
  })

  test('of many partitions do not exhaust the file descriptors', async () => {
    newFolder()
    const run = await start({ partitionBy: ({ id }) => `id=${id % 300}` })
    for (let id = 0; id < 600; id++) await run.write(item(id))
    expect((await hiddenFiles(folder)).length).toBeLessThanOrEqual(600)
    await run.finish()
    expect(await visibleLines(folder)).toHaveLength(600)
  })

  test('of megabytes are whole although the writer had to wait', async () => {
    newFolder()
    const run = await start()
    const name = 'x'.repeat(1_000)
    for (let id = 0; id < 30_000; id++) await run.write({ id, name })
    await run.finish()
    const ids = (await visibleLines(folder)).map(line => JSON.parse(line).id)
    expect(ids).toEqual(Array.from({ length: 30_000 }, (_, id) => id))
  })

  test('read back as CSV what was written', async () => {
    newFolder()
    const rows = ['plain', 'with, comma', 'with "quotes"', 'two\nlines', '', 'ümlaut', ' blank ']
    const items = rows.map((name, id) => ({ id, name }))
    const run = await start({ format: csv(Item) })
    await run.write(...items)
    await run.finish()
    expect(await visibleFiles(folder)).toEqual(['part-0-0-0.csv'])
    const back = await SourceRun.start(fileSource({ path: folder, format: csv(Item) }), {
      parallelism: 1,
    })
    await back.runToEnd()
    expect(back.emitted.map(one => one.value)).toEqual(items)
    await back.close()
  })

  test('keep no half record when one cannot be encoded', async () => {
    newFolder()
    const run = await start()
    await run.write(item(1))
    const broken = { id: 2, name: 5 as unknown as string }
    await expect(run.write(broken)).rejects.toMatchObject({ code: 'WEIR_VALUE_UNSERIALIZABLE' })
    await run.write(item(3))
    await run.finish()
    expect(await visibleLines(folder)).toEqual([item(1), item(3)].map(one => JSON.stringify(one)))
  })
})

describe('a folder with files of an earlier run', () => {
  const earlierRun = async (): Promise<void> => {
    newFolder()
    const run = await start({}, { parallelism: 2 })
    await run.write(item(0), item(1))
    await run.finish()
    await writeFile(join(folder, 'README.md'), 'not a part\n')
  }

  test('is refused by default, with the way out', async () => {
    await earlierRun()
    await expect(start()).rejects.toMatchObject({
      code: 'WEIR_FILE_OUTPUT_NOT_EMPTY',
      message: expect.stringContaining('part-0-0-0.jsonl'),
      next: expect.stringContaining("'replace'"),
    })
  })

  test('is emptied by replace, but for files of others', async () => {
    await earlierRun()
    const run = await start({ onExisting: 'replace' })
    await run.write(item(2))
    await run.finish()
    expect(await visibleFiles(folder)).toEqual(['README.md', 'part-0-0-0.jsonl'])
    expect(await readFile(join(folder, 'part-0-0-0.jsonl'), 'utf8')).toContain('item 2')
  })

  test('is kept by append, whose parts are named apart', async () => {
    await earlierRun()
    const run = await start({ onExisting: 'append' }, {}, { random: new SeededRandom(1) })
    await run.write(item(2))
    await run.finish()
    const files = await visibleFiles(folder)
    expect(files).toHaveLength(4)
    expect(files.filter(name => /^part-[0-9a-f]{8}-0-0-0\.jsonl$/.test(name))).toHaveLength(1)
  })

  test('may hold what a killed run left unfinished', async () => {
    newFolder()
    const killed = await start()
    await killed.write(item(0))
    await killed.checkpoint()
    await killed.close()
    expect(await hiddenFiles(folder)).toHaveLength(1)
    const run = await start()
    await run.write(item(0))
    await run.finish()
    expect(await visibleLines(folder)).toEqual([JSON.stringify(item(0))])
    expect(await hiddenFiles(folder)).toEqual([])
  })
})

describe('when the disk fails', () => {
  const fullAfter = (bytesMax: number): OutputDisk => {
    let bytes = 0
    return {
      ...localDisk,
      create: async path => {
        const file = await localDisk.create(path)
        return {
          write: async chunk => {
            bytes += chunk.length
            if (bytes > bytesMax) {
              throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
            }
            await file.write(chunk)
          },
          sync: () => file.sync(),
          close: () => file.close(),
        }
      },
    }
  }

  test('the checkpoint fails with the reason, and the restored job writes everything once', async () => {
    newFolder()
    const first = await start({}, {}, { disk: fullAfter(500) })
    for (let id = 0; id < 10; id++) await first.write(item(id))
    const restored = await first.checkpoint()
    for (let id = 10; id < 50; id++) await first.write(item(id))
    await expect(first.checkpoint()).rejects.toMatchObject({
      code: 'WEIR_FILE_WRITE_FAILED',
      message: expect.stringContaining('ENOSPC'),
    })
    await expect(first.write(item(50))).rejects.toMatchObject({ code: 'WEIR_FILE_WRITE_FAILED' })
    await first.close()
    const second = await start({}, { restored, lastCheckpointId: 2 })
    for (let id = 10; id < 50; id++) await second.write(item(id))
    await second.finish()
    const lines = await visibleLines(folder)
    expect(lines.map(line => JSON.parse(line).id).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, id) => id),
    )
  })

  test('a part that is gone or torn is lost, not silently missing', async () => {
    newFolder()
    const run = await start()
    await run.write(item(0))
    const { id } = await run.checkpoint()
    const [hidden] = await hiddenFiles(folder)
    await writeFile(join(folder, hidden as string), 'torn')
    const lost = { code: 'WEIR_FILE_LOST', message: expect.stringContaining('has 4 bytes') }
    await expect(run.commitUpTo(id)).rejects.toMatchObject(lost)
    await rm(join(folder, hidden as string))
    await expect(run.commitUpTo(id)).rejects.toMatchObject({ code: 'WEIR_FILE_LOST' })
    await run.close()
  })

  test('two sinks cannot write the same part', async () => {
    newFolder()
    const first = await start()
    const second = await start()
    await first.write(item(0))
    await first.checkpoint()
    await second.write(item(1))
    await expect(second.checkpoint()).rejects.toMatchObject({ code: 'WEIR_FILE_OUTPUT_IN_USE' })
    await first.close()
    await second.close()
  })
})

describe('options of the file sink', () => {
  test.each(['.hidden', '_x', 'a/b', '', 'a b'])('the prefix %j is refused', prefix => {
    expect(() => fileSink({ path: 'x', format: text(), prefix })).toThrow(/prefix/)
  })

  test.each(['/abs', 'a//b', '../up', 'a/..', '.'])(
    'the partition %j is refused',
    async partition => {
      newFolder()
      const run = await start({ partitionBy: () => partition })
      await expect(run.write(item(0))).rejects.toMatchObject({
        code: 'WEIR_FILE_PARTITION_INVALID',
      })
      await run.close()
    },
  )
})

describe('compressed parts', () => {
  test.each(['gzip', 'zstd'] as const)(
    '%s: a header, megabytes, and what other programs read',
    async kind => {
      newFolder()
      const many = Array.from({ length: 30_000 }, (_, id) => ({ id, name: `name ${id * 7919}` }))
      const run = await start({ format: csv(Item), compression: kind })
      await run.write(...many)
      await run.finish()
      const ending = kind === 'gzip' ? '.csv.gz' : '.csv.zst'
      expect(await visibleFiles(folder)).toEqual([`part-0-0-0${ending}`])
      expect(await visibleLines(folder)).toEqual([
        'id,name',
        ...many.map(one => `${one.id},${one.name}`),
      ])
    },
  )

  test('are closed at their size on the disk', async () => {
    newFolder()
    const random = new SeededRandom(1)
    const run = await start({ compression: 'gzip', rolling: { sizeBytes: 200_000 } })
    const name = Array.from({ length: 2_000 }, () => random.uuid()).join('')
    // More than may be on its way to the disk: from then on its size is known.
    for (let id = 0; id < 250; id++) await run.write({ id, name: `${id}${name}` })
    await run.finish()
    expect((await visibleFiles(folder)).length).toBeGreaterThan(1)
    expect(await visibleLines(folder)).toHaveLength(250)
  })
})
