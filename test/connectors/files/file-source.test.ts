import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { csv, type FileSourceOptions, fileSource } from '../../../src/connectors/files/index.ts'
import { json } from '../../../src/schema/json-format.ts'
import { record } from '../../../src/schema/record.ts'
import { raw, text } from '../../../src/schema/text-format.ts'
import { z } from '../../../src/schema/z.ts'
import { testSource } from '../../contract/source.ts'
import { SourceRun, type SourceSnapshot } from '../../contract/source-run.ts'
import { ManualClock } from '../manual-clock.ts'
import { scratchFolder } from './scratch-folder.ts'

const Item = record({ id: z.int32(), name: z.string() })
const items = Array.from({ length: 60 }, (_, id) => ({ id, name: `Ärger ${id} ${'x'.repeat(id)}` }))
const jsonLines = (from: number, to: number): string =>
  items
    .slice(from, to)
    .map(item => `${JSON.stringify(item)}\n`)
    .join('')

const scratch = scratchFolder()
const path = (name: string): string => join(scratch.path, name)

beforeAll(async () => {
  await mkdir(path('lines/deep'), { recursive: true })
  await writeFile(path('lines/a.jsonl'), jsonLines(0, 20))
  await writeFile(path('lines/b.jsonl.gz'), gzipSync(jsonLines(20, 35)))
  await writeFile(path('lines/deep/c.jsonl'), jsonLines(35, 60).trimEnd())
  await writeFile(path('lines/.hidden.jsonl'), 'not json')
  await writeFile(path('lines/_temporary'), 'not json')
  const rows = items.map(({ id, name }) => `"${name}\n""quoted"", with comma",${id},unused\r\n`)
  await writeFile(path('quoted.csv'), `name,id,more\r\n${rows.join('')}`)
  await writeFile(path('quoted.csv.zst'), zstdCompressSync(`name,id,more\r\n${rows.join('')}`))
})

const readAll = async <T>(options: FileSourceOptions<T>, parallelism = 1) => {
  const run = await SourceRun.start(fileSource(options), { parallelism })
  try {
    await run.runToEnd()
    const values = run.emitted.map(emitted => emitted.value)
    return { values, emitted: run.emitted, rejected: run.rejected }
  } finally {
    await run.close()
  }
}

testSource('a folder of JSON lines', {
  make: () => fileSource({ path: path('lines'), format: json(Item), splitBytes: 300 }),
  expected: () => items,
})

testSource('a CSV file with line feeds in quotes', {
  make: () => fileSource({ path: path('quoted.csv'), format: csv(Item) }),
  expected: () => items.map(({ id, name }) => ({ id, name: `${name}\n"quoted", with comma` })),
})

testSource('a compressed CSV file', {
  make: () => fileSource({ path: path('quoted.csv.zst'), format: csv(Item) }),
  expected: () => items.map(({ id, name }) => ({ id, name: `${name}\n"quoted", with comma` })),
  cuts: [0, 1, 30, 60],
})

testSource('lines of text by a pattern', {
  make: () => fileSource({ path: path('lines/*.jsonl'), format: text(), splitBytes: 77 }),
  expected: () => jsonLines(0, 20).trimEnd().split('\n'),
})

describe('the lines of a file', () => {
  const cases: Record<string, { text: string; lines: string[] }> = {
    'may lack the last line end': { text: 'a\nb', lines: ['a', 'b'] },
    'may end in CRLF': { text: 'a\r\nb\r\n', lines: ['a', 'b'] },
    'are records also when empty': { text: '\na\n\n', lines: ['', 'a', ''] },
    'may begin with a byte order mark': { text: '\ufeffa\nb\n', lines: ['a', 'b'] },
    'are none in an empty file': { text: '', lines: [] },
    'may be one long one': { text: 'y'.repeat(700_000), lines: ['y'.repeat(700_000)] },
  }
  test.each(Object.entries(cases))('%s', async (_sentence, c) => {
    await writeFile(path('case.txt'), c.text)
    const { values } = await readAll({ path: path('case.txt'), format: text() })
    expect(values).toEqual(c.lines)
  })

  test('are the same wherever the file is cut into splits', async () => {
    const content = 'one\n\ntwo\r\nthree is longer\n\n\nfour'
    await writeFile(path('cut.txt'), content)
    const expected = content.split('\n').map(line => line.replace('\r', ''))
    for (let splitBytes = 1; splitBytes <= content.length; splitBytes++) {
      const options = { path: path('cut.txt'), format: text(), splitBytes }
      expect((await readAll(options)).values).toEqual(expected)
    }
  })

  test('carry their offset', async () => {
    await writeFile(path('offsets.txt'), 'ab\nc\n\nd')
    const { emitted } = await readAll({ path: path('offsets.txt'), format: text(), splitBytes: 2 })
    expect(emitted.map(one => one.offset)).toEqual([0, 3, 5, 6])
  })

  test('are bytes when read raw', async () => {
    await writeFile(path('raw.txt'), Buffer.from([0xff, 0x0a, 0x00]))
    const { values } = await readAll({ path: path('raw.txt'), format: raw() })
    expect(values.map(value => [...value])).toEqual([[0xff], [0x00]])
  })

  test('of megabytes pass the borders of reads', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => `${i} ${'z'.repeat(i % 97)}`)
    await writeFile(path('large.txt'), lines.join('\n'))
    await writeFile(path('large.txt.gz'), gzipSync(lines.join('\n')))
    expect((await readAll({ path: path('large.txt'), format: text() })).values).toEqual(lines)
    expect((await readAll({ path: path('large.txt.gz'), format: text() })).values).toEqual(lines)
  })
})

describe('bad input', () => {
  test('a line that is no record is rejected with its offset; the others come', async () => {
    await writeFile(path('bad.jsonl'), `${jsonLines(0, 1)}{"id":1\n\n${jsonLines(2, 3)}`)
    const { values, rejected } = await readAll({ path: path('bad.jsonl'), format: json(Item) })
    expect(values).toEqual([items[0], items[2]])
    expect(rejected).toHaveLength(1)
    expect(rejected[0]).toMatchObject({
      error: { code: 'WEIR_RECORD_UNPARSABLE' },
      record: '{"id":1',
      offset: Buffer.byteLength(jsonLines(0, 1)),
      splitId: `${path('bad.jsonl')}@0`,
    })
  })

  test('a missing file is named', async () => {
    const reading = readAll({ path: path('missing.jsonl'), format: text() })
    await expect(reading).rejects.toMatchObject({
      code: 'WEIR_FILE_NOT_FOUND',
      message: expect.stringContaining('missing.jsonl'),
    })
  })

  test('a pipe is refused: it could not be read again', async () => {
    execFileSync('mkfifo', [path('pipe')])
    const reading = readAll({ path: path('pipe'), format: text() })
    await expect(reading).rejects.toMatchObject({
      code: 'WEIR_FILE_NOT_REPLAYABLE',
      message: expect.stringMatching(/pipe is a pipe: /),
    })
  })

  test('a pattern that no file matches is named; an empty folder is an input like any', async () => {
    const pattern = path('lines/*.jsonlines')
    await expect(readAll({ path: pattern, format: text() })).rejects.toMatchObject({
      code: 'WEIR_FILE_PATTERN_EMPTY',
      message: expect.stringContaining('*.jsonlines'),
    })
    await mkdir(path('empty'))
    expect((await readAll({ path: path('empty'), format: text() })).values).toEqual([])
  })

  test('a truncated gz file gives what is there, then fails', async () => {
    const lines = Array.from({ length: 50_000 }, (_, i) => `${i} ${Math.imul(i, 0x9e3779b1)}`)
    const whole = gzipSync(lines.join('\n'))
    await writeFile(path('cut.txt.gz'), whole.subarray(0, whole.length - 1_000))
    const run = await SourceRun.start(fileSource({ path: path('cut.txt.gz'), format: text() }), {
      parallelism: 1,
    })
    await expect(run.runToEnd()).rejects.toMatchObject({ code: 'WEIR_FILE_DAMAGED' })
    expect(run.emitted.length).toBeGreaterThan(1_000)
    await run.close()
  })

  test('a file that became shorter since it was listed is refused', async () => {
    await writeFile(path('shrunk.txt'), 'a\nb\nc\n')
    const source = fileSource({ path: path('shrunk.txt'), format: text() })
    const first = await SourceRun.start(source, { parallelism: 1, batchSize: 1 })
    await first.runUntil(1)
    const restored = first.snapshot()
    await first.close()
    await truncate(path('shrunk.txt'), 3)
    const second = await SourceRun.start(source, { parallelism: 1, restored })
    await expect(second.runToEnd()).rejects.toMatchObject({ code: 'WEIR_FILE_TRUNCATED' })
    await second.close()
  })

  test('what was appended since the listing is left for a later run', async () => {
    await writeFile(path('grown.txt'), 'a\nb\n')
    const source = fileSource({ path: path('grown.txt'), format: text() })
    const run = await SourceRun.start(source, { parallelism: 1 })
    await appendFile(path('grown.txt'), 'c\n')
    await run.runToEnd()
    expect(run.emitted.map(one => one.value)).toEqual(['a', 'b'])
    await run.close()
  })

  test('a CSV file without a column that the schema requires is refused', async () => {
    await writeFile(path('columns.csv'), 'id,title\n1,a\n')
    const reading = readAll({ path: path('columns.csv'), format: csv(Item) })
    await expect(reading).rejects.toMatchObject({
      code: 'WEIR_FILE_COLUMN_MISSING',
      message: expect.stringContaining('"name"; it has id, title'),
    })
  })
})

describe('watching a folder', () => {
  test('finds files that come later, each once, also over a restore', async () => {
    const folder = path('watched')
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder)
    const put = async (name: string): Promise<void> => {
      await writeFile(join(folder, `.${name}`), `${name} 1\n${name} 2\n`)
      await rename(join(folder, `.${name}`), join(folder, name))
    }
    const source = fileSource({ path: folder, format: text(), watch: '10s' })
    expect(source.boundedness).toBe('unbounded')
    const run = async (count: number, restored?: SourceSnapshot) => {
      const clock = new ManualClock()
      const started = await SourceRun.start(source, { parallelism: 2, clock, restored })
      clock.advance(10_000)
      await started.runUntil(count)
      return started
    }
    await put('a')
    const first = await run(2)
    expect(first.emitted.map(one => one.value)).toEqual(['a 1', 'a 2'])
    const restored = first.snapshot()
    await first.close()
    await put('b')
    const second = await run(2, restored)
    expect(second.emitted.map(one => one.value)).toEqual(['b 1', 'b 2'])
    await second.close()
  })

  test('forgets a file that has been gone for long enough: checkpoints do not grow', async () => {
    const folder = path('watched-forget')
    await mkdir(folder)
    const watch = { path: folder, format: text(), watch: '1s' } as const
    const source = fileSource({ ...watch, forgetAfter: '5s' })
    const clock = new ManualClock()
    const run = await SourceRun.start(source, { parallelism: 1, clock })
    for (let n = 1; n <= 8; n++) {
      const file = join(folder, String(n))
      await writeFile(join(folder, '.new'), `${n}\n`)
      await rename(join(folder, '.new'), file)
      clock.advance(1_000)
      await run.runUntil(n)
      await rm(file)
    }
    const { seen } = run.snapshot().enumerator as { readonly seen: readonly string[] }
    expect(seen.length).toBeLessThan(8)
    expect(seen).toContain(join(folder, '8'))
    await run.close()
    expect(() => fileSource({ ...watch, watch: undefined as never, forgetAfter: '5s' })).toThrow(
      /forgetAfter/,
    )
  })

  test('takes compressed files and files with a header as any others', async () => {
    const folder = path('watched-gz')
    await mkdir(folder)
    const source = fileSource({ path: join(folder, '*.csv.gz'), format: csv(Item), watch: '1s' })
    const clock = new ManualClock()
    const run = await SourceRun.start(source, { parallelism: 2, clock })
    for (const id of [1, 2]) {
      const file = join(folder, `${id}.csv.gz`)
      await writeFile(`${file}.part`, gzipSync(`id,name\n${id},a\n`))
      await rename(`${file}.part`, file)
      clock.advance(1_000)
      await run.runUntil(id)
    }
    expect(run.emitted.map(one => one.value)).toEqual([1, 2].map(id => ({ id, name: 'a' })))
    await run.close()
  })
})
