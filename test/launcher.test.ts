/**
 * The launcher in a checkout of its own, with a machine made of links: only the commands that a case
 * needs are on the PATH, and npm is a script that leaves a note.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'

const home = resolve(import.meta.dirname, '..')
const tools = [
  'sh',
  'cmp',
  'find',
  'head',
  'mkdir',
  'cp',
  'ln',
  'readlink',
  'uname',
  'flock',
  'sleep',
]

interface Checkout {
  readonly folder: string
  /** Runs the launcher; `from` is how it is called. */
  run(from?: string): { code: number | null; out: string; err: string }
  readonly path: string
  /** How often npm and the build were run. */
  notes(): string[]
}

interface CheckoutOptions {
  /** The body of npm; none: npm and node are not installed. */
  readonly npm?: string
}

/** What `npm ci` leaves behind: a Node, and npm's own note. */
const goodNpm = `
echo npm >> notes
sleep 0.3
mkdir -p node_modules/.bin
ln -s ${process.execPath} node_modules/.bin/node
`

function checkout(options: CheckoutOptions): Checkout {
  const folder = mkdtempSync(join(tmpdir(), 'weir-launcher-'))
  const bin = join(folder, 'machine')
  for (const path of ['machine', 'src/bin', 'scripts'])
    mkdirSync(join(folder, path), { recursive: true })
  for (const tool of tools) {
    const found = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim()
    symlinkSync(found, join(bin, tool))
  }
  if (options.npm !== undefined) {
    writeScript(join(bin, 'npm'), options.npm)
    writeScript(join(bin, 'node'), 'echo v20.20.2')
  }
  copyFileSync(join(home, 'weir'), join(folder, 'weir'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  writeFileSync(join(folder, 'tsconfig.json'), '{}')
  writeFileSync(
    join(folder, 'scripts/build.mjs'),
    `import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
    appendFileSync('${folder}/notes', 'build\\n')
    mkdirSync('${folder}/dist/bin', { recursive: true })
    writeFileSync('${folder}/dist/bin/weir.js', 'console.log("ran", process.argv.slice(2).join())')
    writeFileSync('${folder}/dist/build-id', '1')`,
  )
  const env = { PATH: bin, HOME: folder }
  return {
    folder,
    path: bin,
    run(from = join(folder, 'weir')) {
      const child = spawnSync(from, ['a', 'b'], { env, cwd: '/', encoding: 'utf8' })
      return { code: child.status, out: child.stdout, err: child.stderr }
    },
    notes() {
      const file = join(folder, 'notes')
      return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
    },
  }
}

function writeScript(file: string, body: string): void {
  writeFileSync(file, `#!/bin/sh\n${body}\n`)
  chmodSync(file, 0o755)
}

test('sets up once, then only starts; standard output is the command own', () => {
  const { run, notes } = checkout({ npm: goodNpm })
  const first = run()
  expect(first).toMatchObject({ code: 0, out: 'ran a,b\n' })
  expect(first.err).toMatch(/installing packages[\s\S]*building/)
  expect(run()).toEqual({ code: 0, out: 'ran a,b\n', err: '' })
  expect(notes()).toEqual(['npm', 'build'])
})

test('works through links, relative and absolute', () => {
  const { run, folder } = checkout({ npm: goodNpm })
  symlinkSync('weir', join(folder, 'first'))
  const second = join(tmpdir(), `weir-link-${randomUUID()}`)
  symlinkSync(join(folder, 'first'), second)
  expect(run(second)).toMatchObject({ code: 0, out: 'ran a,b\n' })
})

test('builds again when a source is newer, installs again when the lock file changed', () => {
  const { run, notes, folder } = checkout({ npm: `${goodNpm.replace('ln -s', 'ln -sf')}` })
  run()
  writeFileSync(join(folder, 'src/bin/weir.ts'), '')
  const later = new Date(Date.now() + 10_000)
  utimesSync(join(folder, 'src/bin/weir.ts'), later, later)
  run()
  expect(notes()).toEqual(['npm', 'build', 'build'])
  writeFileSync(join(folder, 'package-lock.json'), '{ "changed": true }')
  run()
  expect(notes().filter(note => note === 'npm')).toHaveLength(2)
})

test('two at once set up once', async () => {
  const { folder, notes, path } = checkout({ npm: goodNpm })
  const start = () =>
    new Promise<number | null>(done => {
      const env = { PATH: path, HOME: folder }
      spawn(join(folder, 'weir'), [], { env, stdio: 'ignore' }).on('close', done)
    })
  expect(await Promise.all([start(), start(), start()])).toEqual([0, 0, 0])
  expect(notes()).toEqual(['npm', 'build'])
})

test('says plainly that Node and npm are missing', () => {
  const result = checkout({}).run()
  expect(result.code).toBe(2)
  expect(result.err).toMatch(/Node\.js and npm are not installed[\s\S]*next: install both/)
})

test('says that npm ci failed, after its own words, and starts nothing', () => {
  const { run, notes } = checkout({ npm: 'echo no network; exit 1' })
  const result = run()
  expect(result).toMatchObject({ code: 2, out: '' })
  expect(result.err).toMatch(/no network[\s\S]*npm ci failed[\s\S]*next: check the network/)
  expect(notes()).toEqual([])
})

test('says that no Node for this machine came with the packages', () => {
  const result = checkout({ npm: 'mkdir -p node_modules' }).run()
  expect(result.code).toBe(2)
  expect(result.err).toMatch(/no Node\.js 24\.6 or newer is here[\s\S]*next: install Node\.js/)
})
