/** The command as a user types it: jobs that are wrong are refused before anything runs. */
import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'

const weir = resolve(import.meta.dirname, '../../weir')
const folder = mkdtempSync(join(tmpdir(), 'weir-command-'))

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

function call(...args: string[]): Promise<Outcome> {
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') }
  return new Promise(done => {
    execFile(weir, args, { cwd: folder, env }, (error, out, err) => {
      done({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

const manifest = `apiVersion: weir.dev/v1alpha1
kind: StreamJob
metadata: { name: inline }
spec:
  job:
    inline: |
`

/** Sentence -> the job's file, and what is said about it. */
const wrongJobs: Record<string, readonly [file: string, text: string, said: RegExp]> = {
  'a type error, at its line': [
    'type.ts',
    "import { job } from 'weir'\nconst n: number = 'text'\nexport default job(() => void n)\n",
    /^WEIR_JOB_TYPE_ERROR {2}type\.ts does not compile\n {2}type\.ts:2:7 {2}TS2322: Type 'string'/m,
  ],
  'a type error in a file that the job imports': [
    'importing.ts',
    "import { job } from 'weir'\nimport { n } from './type-part.ts'\nexport default job(() => void n)\n",
    /^ {2}type-part\.ts:1:14 {2}TS2322/m,
  ],
  'a syntax error': [
    'syntax.ts',
    'const a = (\nexport default 1\n',
    /^WEIR_JOB_TYPE_ERROR[\s\S]*syntax\.ts:2:1 {2}/m,
  ],
  'an import that leads nowhere': [
    'nowhere.ts',
    "import './nothing.ts'\nexport default 1\n",
    /^WEIR_JOB_TYPE_ERROR[\s\S]*nowhere\.ts:1:\d+ {2}/m,
  ],
  'a top level that throws, at its line in TypeScript': [
    'throws.ts',
    "type A = string\n\nthrow new TypeError('not today')\nexport default 1 as unknown as A\n",
    /^WEIR_JOB_LOAD_FAILED {2}throws\.ts cannot be loaded: TypeError: not today\n {2}at throws\.ts:3:7/m,
  ],
  'a builder function that throws, at its line': [
    'build.ts',
    "import { job } from 'weir'\nexport default job(() => {\n  throw new RangeError('odd')\n})\n",
    /^WEIR_JOB_BUILD_FAILED {2}the builder function of build\.ts threw RangeError: odd\n {2}at build\.ts:3:9/m,
  ],
  'no default export': ['none.ts', 'export const a = 1\n', /it has no default export/],
  'a default export that is no job': [
    'other.ts',
    'export default 1\n',
    /its default export is not made by job\(\.\.\.\)/,
  ],
  'a job without a source': [
    'empty.ts',
    "import { job } from 'weir'\nexport default job('empty', () => {})\n",
    /^WEIR_JOB_EMPTY/m,
  ],
  'an inline job, at the line of the manifest': [
    'inline.yaml',
    `${manifest}      import { job } from 'weir'\n      const n: number = 'text'\n      export default job(() => void n)\n`,
    /^WEIR_JOB_TYPE_ERROR {2}inline\.yaml does not compile\n {2}inline\.yaml:8 {2}TS2322/m,
  ],
  'a manifest with a misspelt field': [
    'field.yaml',
    `${manifest.replace('spec:', 'spec:\n  paralelism: 2')}      export default 1\n`,
    /^WEIR_MANIFEST_INVALID[\s\S]*field\.yaml:5 {2}spec\.paralelism: .*\n {6}fix: did you mean parallelism\?/m,
  ],
}

test.each(Object.entries(wrongJobs))('%s', async (_sentence, [file, text, said]) => {
  write('type-part.ts', 'export const n: number = "text"\n')
  const { code, out, err } = await call('run', write(file, text))
  expect(err).toMatch(said)
  expect(err).toMatch(/\n {2}next: /)
  expect(err).not.toContain(join(folder, 'cache'))
  expect({ code, out }).toEqual({ code: 2, out: '' })
})

test('an unchanged job is checked once; a changed one again', async () => {
  const text = "import { job } from 'weir'\nexport default job('twice', () => {})\n"
  const file = write('twice.ts', text)
  expect((await call('plan', file)).err).toContain('checking twice.ts')
  expect((await call('plan', file)).err).not.toContain('checking')
  write('twice.ts', `${text}\n// changed\n`)
  expect((await call('plan', file)).err).toContain('checking twice.ts')
})

test.each([
  ['without its file', ['run'], /missing required argument 'file'/],
  ['that does not exist', ['rnu'], /unknown command 'rnu'/],
  ['with an unknown flag', ['run', 'a.yaml', '--parallel', '2'], /unknown option '--parallel'/],
  ['with a bad number', ['run', 'a.yaml', '-p', '0'], /expected a whole number from 1 on/],
])('a command %s is exit code 2 with help', async (_sentence, args, said) => {
  const { code, out, err } = await call(...args)
  expect(err).toMatch(said)
  expect(err).toMatch(/next: weir --help/)
  expect({ code, out }).toEqual({ code: 2, out: '' })
})

test('--help lists every command and exit code', async () => {
  const { code, out } = await call('--help')
  expect(code).toBe(0)
  for (const word of ['run', 'plan', 'savepoint', 'test', 'bench', '130'])
    expect(out).toContain(word)
})

test('savepoint inspect prints the metadata, and refuses what is none', async () => {
  write('_metadata', '{"version":1,"operators":[]}')
  const { code, out } = await call('savepoint', 'inspect', '.')
  expect(JSON.parse(out)).toEqual({ version: 1, operators: [] })
  expect(code).toBe(0)
  const bad = await call('savepoint', 'inspect', 'nothing')
  expect(bad.err).toMatch(/^WEIR_SAVEPOINT_UNREADABLE/m)
  expect(bad.code).toBe(2)
})
