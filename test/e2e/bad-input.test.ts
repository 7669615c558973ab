/**
 * What a user may do wrong, and what a machine may do to him: each is an error with a code, the
 * place and the next step, an exit code that is not 0, and nothing lost. Jobs that do not compile
 * or cannot be loaded, and wrong commands, are in `test/cli/weir-command.test.ts`.
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readLines, ScratchFolders, setAll, type WeirEnd, weir } from './weir-process.ts'

const folders = new ScratchFolders()
/** One folder, so that the job is type-checked once. */
const folder = folders.make()
const ROWS = 3_000

const manifest = `apiVersion: weir.dev/v1alpha1
kind: StreamJob
metadata: { name: orders }
spec:
  job: { module: orders.ts }
  checkpoint: { interval: 50ms }
  restart: { strategy: none }
`

const flights = join(
  import.meta.dirname,
  '../../node_modules/vega-datasets/data/flights-3m.parquet',
)

/** A run that ended well, its checkpoints and output left behind; cases begin with a copy. */
const past = join(folder, 'past')
let undisturbed: readonly string[] = []

beforeAll(async () => {
  copyFileSync(join(import.meta.dirname, 'orders-job.ts'), join(folder, 'orders.ts'))
  writeFileSync(join(folder, 'orders.yaml'), manifest)
  writeFileSync(join(folder, 'misspelt.yaml'), manifest.replace('restart:', 'restrat:'))
  writeFileSync(join(folder, 'words.yaml'), manifest.replace('50ms', 'often'))
  writeFileSync(join(folder, 'jobless.yaml'), manifest.replace(/ {2}job:.*\n/, ''))
  writeFileSync(join(folder, 'broken.yaml'), `${manifest}  job: [\n`)
  writeInputs()
  const end = await run('past', { 'job.args.rate': ROWS * 2 })
  expect(end).toMatchObject({ code: 0 })
  undisturbed = readLines(join(past, 'out')).toSorted()
  expect(undisturbed).toHaveLength(ROWS)
  expect(checkpointsOf('past').length).toBeGreaterThan(1)
})

afterAll(() => folders.remove())

function writeInputs(): void {
  const good = Array.from({ length: 1_000 }, (_, id) => `{"id":${id},"customer":"a","cents":5}`)
  const bad = good.with(500, '{"id":500,"customer":"a"}')
  writeFileSync(join(folder, 'bad.jsonl'), bad.join('\n'))
  writeFileSync(join(folder, 'cut.jsonl.gz'), gzipSync(good.join('\n')).subarray(0, 2_000))
}

/** Runs with output and checkpoints in a folder of the case. */
function run(
  name: string,
  fields: Readonly<Record<string, string | number>> = {},
  more: readonly string[] = [],
): Promise<WeirEnd> {
  const all = {
    'checkpoint.storage': `file://${join(folder, name, 'checkpoints')}`,
    'job.args.output': join(folder, name, 'out'),
    'job.args.rows': ROWS,
    ...fields,
  }
  return weir(['run', 'orders.yaml', ...setAll(all), ...more], folder)
}

function checkpointsOf(name: string): readonly string[] {
  const all = join(folder, name, 'checkpoints/default.orders')
  const found = readdirSync(all).filter(entry => entry.startsWith('chk-'))
  return found
    .toSorted((a, b) => Number(a.slice(4)) - Number(b.slice(4)))
    .map(entry => join(all, entry))
}

function copyPast(name: string): void {
  cpSync(past, join(folder, name), { recursive: true })
}

/** The code comes first, a next step follows, and nobody sees a stack. */
function expectError(end: WeirEnd, code: string, says: readonly (string | RegExp)[]): void {
  expect(end.err).toMatch(new RegExp(`^${code}  `, 'm'))
  expect(end.err).toMatch(/\n {2}next: \w/)
  expect(end.err).not.toMatch(/\n\s+at .*node_modules|WEIR_INTERNAL/)
  for (const one of says) {
    if (typeof one === 'string') expect(end.err).toContain(one)
    else expect(end.err).toMatch(one)
  }
}

describe('a manifest is refused before anything starts', () => {
  test.each([
    [
      'a field that does not exist',
      'misspelt',
      /:7 {2}spec\.restrat: .*\n.*did you mean restart\?/,
    ],
    ['a value of another kind', 'words', /:6 {2}spec\.checkpoint\.interval: .*often/],
    ['a missing field', 'jobless', /spec\.job: /],
    ['text that is no YAML', 'broken', /broken\.yaml:\d+/],
  ])('%s', async (_sentence, name, says) => {
    const end = await weir(['run', `${name}.yaml`], folder)
    expectError(end, 'WEIR_MANIFEST_INVALID', [says, /\n {6}fix: \w/])
    expect(end).toMatchObject({ code: 2, out: '' })
    expect(existsSync(join(folder, 'out'))).toBe(false)
  })
})

/** What the job does -> what is said about it. */
const failures: readonly {
  readonly when: string
  readonly fields: Readonly<Record<string, string | number>>
  readonly code: string
  readonly says: readonly (string | RegExp)[]
}[] = [
  {
    when: 'a function throws: the operator and the record are named',
    fields: { 'job.args.failsAt': 7 },
    code: 'WEIR_USER_FUNCTION_FAILED',
    says: ['check-prices', 'source datagen, split 0/1, offset 7', 'order 7 has no price'],
  },
  {
    when: 'a state gets a value that its type cannot write',
    fields: { 'job.args.spoilsStateAt': 7 },
    code: 'WEIR_USER_FUNCTION_FAILED',
    says: ['operator totals', 'key "', 'the value at orders is not int32: "a lot"'],
  },
  {
    when: 'a sink gets a value that its format cannot write',
    fields: { 'job.args.spoilsOutputAt': 7 },
    code: 'WEIR_USER_FUNCTION_FAILED',
    says: ['the value at cents is not int: "a lot"'],
  },
  {
    when: 'an input does not exist',
    fields: { 'job.args.input': 'nothing.jsonl' },
    code: 'WEIR_FILE_NOT_FOUND',
    says: ['nothing.jsonl'],
  },
  {
    when: 'a record cannot be read',
    fields: { 'job.args.input': 'bad.jsonl' },
    code: 'WEIR_RECORD_MALFORMED',
    says: [/bad\.jsonl@0, offset \d+/, 'cents'],
  },
  {
    when: 'a compressed file ends in the middle',
    fields: { 'job.args.input': 'cut.jsonl.gz' },
    code: 'WEIR_FILE_DAMAGED',
    says: [/cut\.jsonl\.gz is damaged at byte \d+: unexpected end of file/],
  },
]

test.each(failures)('when $when', async ({ fields, code, says }) => {
  const name = Object.keys(fields).join('-')
  const end = await run(name, fields)
  expectError(end, code, says)
  expect(end).toMatchObject({ code: 1, out: '' })
  // Nothing half done is published.
  expect(readLines(join(folder, name, 'out'))).toEqual([])
})

test('a Parquet file that is cut short is named', async () => {
  const input = join(folder, 'cut.parquet')
  writeFileSync(input, readFileSync(flights).subarray(0, 1_000_000))
  const sample = join(import.meta.dirname, '../../manifests/samples/flight-delays.yaml')
  const fields = { 'job.args.input': input, 'job.args.output': join(folder, 'cut') }
  const end = await weir(['run', sample, ...setAll(fields)], folder)
  // Trying again cannot help: the sample's own restart strategy would try for ever.
  expectError(end, 'WEIR_FILE_DAMAGED', [/cut\.parquet is damaged at its footer: /])
  expect(end.code).toBe(1)
})

test('a stateful operator without uid is named with its line', async () => {
  const end = await run('no-uid', { 'job.args.uid': 'false' })
  expectError(end, 'WEIR_UID_MISSING', [/operator totals at .*orders\.ts:\d+/])
  expect(end).toMatchObject({ code: 2, out: '' })
})

test('an argument that the job does not read is told, with the nearest that it does', async () => {
  const end = await run('argument', { 'job.args.rosw': 5 })
  expect(end.err).toMatch(/^warning: .*rosw/m)
  expect(end.err).toContain('did you mean rows?')
  // Once is enough.
  expect(end.err.match(/^warning: /gm)).toHaveLength(1)
  expect(end.code).toBe(0)
})

test('an argument of another kind is refused with its name and value', async () => {
  const end = await run('kind', { 'job.args.rows': 'many' })
  expectError(end, 'WEIR_ARGUMENT_INVALID', ['rows', 'many'])
  expect(end.code).toBe(2)
})

test('a record that is refused in another process lies with the dead letters, with its place', async () => {
  const letters = join(folder, 'letters')
  const end = await run('refused', { 'job.args.refusesAt': 777, 'job.args.letters': letters }, [
    '-p',
    '3',
  ])
  expect(end).toMatchObject({ code: 0 })
  const found = readLines(letters).map(line => JSON.parse(line))
  const place = { source: 'datagen', split: expect.any(String), offset: '777' }
  expect(found).toEqual([{ record: { id: 777 }, ...place }])
  expect(readLines(join(folder, 'refused/out'))).toHaveLength(ROWS - 1)
})

test('output of an earlier run is not overwritten', async () => {
  copyPast('full')
  const end = await run('full')
  expectError(end, 'WEIR_FILE_OUTPUT_NOT_EMPTY', [join(folder, 'full/out'), '--restore latest'])
  expect(end.code).toBe(1)
  expect(readLines(join(folder, 'full/out')).toSorted()).toEqual(undisturbed)
})

describe('a restore is refused before the job starts', () => {
  test('when there is no checkpoint', async () => {
    const end = await run('never', {}, ['--restore', 'latest'])
    expectError(end, 'WEIR_RESTORE_NOTHING', ['default.orders', join(folder, 'never')])
    expect(end.code).toBe(2)
  })

  test('when nothing lies at the path', async () => {
    const end = await run('nowhere', {}, ['--restore', 'nowhere/chk-1'])
    expectError(end, 'WEIR_RESTORE_NOT_FOUND', [join(folder, 'nowhere/chk-1')])
    expect(end.code).toBe(2)
  })

  test('when the checkpoint is of another job, then when state would be left behind', async () => {
    const words = join(import.meta.dirname, '../../manifests/samples/word-count.yaml')
    const [checkpoint = ''] = checkpointsOf('past')
    const readme = join(import.meta.dirname, '../../README.md')
    const fields = { 'job.args.input': readme, 'job.args.output': join(folder, 'words') }
    const begin = ['run', words, ...setAll(fields), '--restore', checkpoint]
    const end = await weir(begin, folder)
    expectError(end, 'WEIR_RESTORE_OTHER_JOB', [checkpoint, 'default.orders', '--from-job'])
    expect(end.code).toBe(2)
    const named = await weir([...begin, '--from-job', 'default.orders'], folder)
    expectError(named, 'WEIR_RESTORE_STATE_LEFT', [
      checkpoint,
      'totals (uid totals)',
      '--drop-state',
    ])
    const uids = [...named.err.matchAll(/uid (\w+)/g)].map(([, uid]) => uid)
    const flags = ['--from-job', 'default.orders', '--drop-state', uids.join(',')]
    expect(await weir([...begin, ...flags], folder)).toMatchObject({ code: 0 })
  })

  test('when a field became another type: operator, state and field are named', async () => {
    copyPast('schema')
    const end = await run('schema', { 'job.args.version': 'other' }, ['--restore', 'latest'])
    const says = ['state standing of operator totals', 'at cents: int cannot become string']
    expectError(end, 'WEIR_STATE_INCOMPATIBLE', says)
    expect(end.code).toBe(2)
    // Nothing was changed: the job goes on with what fits, here one more optional field.
    const again = await run('schema', { 'job.args.version': 'wider' }, ['--restore', 'latest'])
    expect(again).toMatchObject({ code: 0 })
    expect(readLines(join(folder, 'schema/out')).toSorted()).toEqual(undisturbed)
  })
})

/** What happened to the last checkpoint -> the file that is named. */
const damages: Readonly<Record<string, readonly [file: string, (path: string) => void]>> = {
  'truncated state': ['totals-0.state', path => truncateSync(path, readFileSync(path).length - 5)],
  'state with a flipped bit': ['totals-0.state', path => flipBit(path)],
  'missing state': ['totals-0.state', path => rmSync(path)],
  'truncated metadata': ['_metadata', path => truncateSync(path, 100)],
  'metadata with a flipped bit': ['_metadata', path => flipBit(path)],
}

function flipBit(path: string): void {
  const bytes = readFileSync(path)
  const middle = bytes.length >> 1
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
  writeFileSync(path, bytes)
}

test.each(Object.entries(damages))(
  '%s is refused by its name, and the checkpoint before it restores',
  async (name, [file, damage]) => {
    copyPast(name)
    const checkpoints = checkpointsOf(name)
    const last = checkpoints.at(-1) ?? ''
    const previous = checkpoints.at(-2) ?? ''
    damage(join(last, file))
    const end = await run(name, {}, ['--restore', 'latest'])
    expectError(end, 'WEIR_CHECKPOINT_CORRUPT', [join(last, file), `--restore ${previous}`])
    expect(end.code).toBe(2)
    const again = await run(name, {}, ['--restore', previous])
    expect(again).toMatchObject({ code: 0, err: expect.stringContaining(basename(previous)) })
    expect(readLines(join(folder, name, 'out')).toSorted()).toEqual(undisturbed)
  },
)

/** A disk of this size at `place`; `undefined` where this user may not mount one. */
function mountDisk(place: string, size: string): boolean {
  mkdirSync(place, { recursive: true })
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', place]).status === 0
}

const canMount = (): boolean => {
  const place = join(folder, 'probe')
  const mounted = mountDisk(place, '64k')
  if (mounted) spawnSync('umount', [place])
  return mounted
}

describe('a full disk ends the job with an error, and with more room it goes on', () => {
  const onSmallDisk = canMount() ? test : test.skip

  onSmallDisk.each([
    { what: 'output', size: '60k', rate: ROWS, code: 'WEIR_FILE_WRITE_FAILED', below: 'out' },
    { what: 'checkpoints', size: '20k', rate: ROWS, code: /WEIR_\w+/, below: 'checkpoints' },
  ])('of the $what (needs the right to mount)', async ({ what, size, rate, code, below }) => {
    const name = `disk-${what}`
    const disk = join(folder, name, below)
    mountDisk(disk, size)
    try {
      const fields = { 'job.args.rate': rate }
      const end = await run(name, fields)
      expectError(end, typeof code === 'string' ? code : code.source, [disk, /no space left/])
      expect(end.code).toBe(1)
      spawnSync('mount', ['-o', 'remount,size=16m', disk])
      const again = await run(name, {}, ['--restore', 'latest'])
      expect(again).toMatchObject({ code: 0 })
      expect(readLines(join(folder, name, 'out')).toSorted()).toEqual(undisturbed)
    } finally {
      spawnSync('umount', [disk])
    }
  })
})
