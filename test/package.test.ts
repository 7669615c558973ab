/**
 * Weir as a package: packed, installed in another project, its types used, a job run by npx. Needs
 * the registry, or npm's cache, for the packages that Weir depends on.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, expect, test } from '@jest/globals'

const home = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'weir-package-'))
const project = join(folder, 'project')

const job = `import { fileSink, fileSource, job, json, record, text, z } from 'weir'

const Line = record({ length: z.int32() })

export default job('lengths', env => {
  env
    .from(fileSource({ path: 'input.txt', format: text() }))
    .uid('lines')
    .map(line => ({ length: line.length }), Line)
    .to(fileSink({ path: 'out', format: json(Line) }))
    .uid('lengths')
})
`

interface Ran {
  readonly code: number | null
  readonly text: string
}

function call(cwd: string, command: string, ...args: string[]): Ran {
  // The npm of the machine, not of a folder above: PATH keeps its own order.
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') }
  const child = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  return { code: child.status, text: `${child.stdout}${child.stderr}` }
}

beforeAll(() => {
  mkdirSync(project)
  const packed = call(home, 'npm', 'pack', '--pack-destination', folder, '--silent')
  expect(packed).toMatchObject({ code: 0 })
  const archive = readdirSync(folder).find(file => file.endsWith('.tgz')) ?? 'none'
  writeFileSync(join(project, 'package.json'), '{ "name": "p", "type": "module", "private": true }')
  writeFileSync(join(project, 'job.ts'), job)
  writeFileSync(join(project, 'input.txt'), 'one\ntwo\nthree\n')
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
  const installed = call(project, 'npm', 'install', ...flags, join(folder, archive))
  expect(installed).toMatchObject({ code: 0 })
}, 120_000)

test('the archive holds what runs, and no sources or tests', () => {
  const files = readdirSync(join(project, 'node_modules/weir'), { recursive: true }).map(String)
  for (const file of ['weir', 'dist/index.js', 'dist/types/index.d.ts', 'dist/bin/weir.js']) {
    expect(files).toContain(file)
  }
  expect(files.filter(file => /^(test|src\/(?!examples))/.test(file) && file !== 'src')).toEqual([])
})

test('a job type-checks against the declarations', () => {
  const options = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true }
  const config = { compilerOptions: options, files: ['job.ts'] }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
  const right = call(project, 'npx', 'tsc', '-p', '.')
  expect(right.text).not.toMatch(/error TS/)
  expect(right.code).toBe(0)
  writeFileSync(join(project, 'job.ts'), job.replace('line.length', 'line.size'))
  expect(call(project, 'npx', 'tsc', '-p', '.').text).toMatch(/Property 'size' does not exist/)
  writeFileSync(join(project, 'job.ts'), job)
}, 60_000)

test('npx weir runs the job', () => {
  const ran = call(project, 'npx', 'weir', 'run', 'job.ts')
  expect(ran).toMatchObject({ code: 0 })
  const parts = readdirSync(join(project, 'out'), { recursive: true }).map(String)
  const rows = parts
    .filter(file => file.endsWith('.json') || file.endsWith('.jsonl'))
    .flatMap(file =>
      readFileSync(join(project, 'out', file), 'utf8')
        .trim()
        .split('\n'),
    )
  expect(rows.toSorted()).toEqual(['{"length":3}', '{"length":3}', '{"length":5}'])
}, 60_000)
