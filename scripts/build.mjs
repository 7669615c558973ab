/**
 * Builds `dist/` from `src/`: JavaScript by esbuild (a second), declarations by tsc.
 *
 *   node scripts/build.mjs            JavaScript, then declarations if the sources changed
 *   node scripts/build.mjs --quick    JavaScript only: what `./weir` needs to start
 *   node scripts/build.mjs --types    declarations only
 *
 * One build has all entry points and is split into shared chunks, so that a process never holds two
 * copies of a class. Names are never shortened: hot loops are cloned from their own source text
 * (src/common/clone-function.ts), and that text must not refer to helpers of the bundler.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const home = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(home, 'dist')
const typesStamp = join(dist, 'types', '.sources')

/** @param {string} folder @returns {string[]} */
function filesUnder(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .toSorted()
}

function entryPoints() {
  const doors = filesUnder(join(home, 'src/bin')).filter(file => file.endsWith('.ts'))
  const exported = ['src/index.ts', 'src/testing/index.ts'].map(file => join(home, file))
  return [...doors, ...exported].filter(file => existsSync(file))
}

async function buildJavaScript() {
  const started = new Date()
  const result = await build({
    absWorkingDir: home,
    entryPoints: entryPoints(),
    outbase: 'src',
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    sourcemap: 'linked',
    sourcesContent: false,
    keepNames: false,
    minify: false,
    metafile: true,
    write: false,
    logLevel: 'error',
  })
  // Chunks before the doors that import them, so that a start in between finds what it needs.
  const files = result.outputFiles.toSorted((a, b) => depth(b.path) - depth(a.path))
  for (const { path, contents } of files) writeWhole(path, contents)
  const outputs = Object.keys(result.metafile.outputs).toSorted()
  removeStale(new Set(outputs.map(file => join(home, file))))
  const id = join(dist, 'build-id')
  writeFileSync(id, hashOf(outputs.filter(file => file.endsWith('.js'))))
  // A source saved while the build ran must count as newer than the build.
  utimesSync(id, started, started)
}

function depth(path) {
  return path.includes('/chunks/') ? 1 : 0
}

/** A reader sees the old file or the new one, never a part. */
function writeWhole(path, contents) {
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}.draft`
  writeFileSync(draft, contents)
  renameSync(draft, path)
}

/** Chunks of earlier builds would pile up; what the last build wrote stays. */
function removeStale(written) {
  for (const file of filesUnder(dist)) {
    const owned = !relative(dist, file).startsWith('types') && /\.js(\.map)?$/.test(file)
    if (owned && !written.has(file)) rmSync(file, { force: true })
  }
}

function hashOf(files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(home, file)))
  return hash.digest('hex').slice(0, 32)
}

/** Declarations of the exported API. Errors in the sources are the type check's business. */
function buildTypes() {
  const sources = filesUnder(join(home, 'src')).map(file => relative(home, file))
  const wanted = hashOf([...sources, 'scripts/build.mjs', 'tsconfig.json'])
  if (existsSync(typesStamp) && readFileSync(typesStamp, 'utf8') === wanted) return
  const draft = join(home, `.weir/types-${process.pid}`)
  const config = `${draft}.json`
  const files = ['src/index.ts', 'src/testing/index.ts'].filter(file =>
    existsSync(join(home, file)),
  )
  mkdirSync(dirname(config), { recursive: true })
  writeFileSync(
    config,
    JSON.stringify({
      extends: '../tsconfig.json',
      compilerOptions: {
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        rewriteRelativeImportExtensions: true,
        rootDir: '../src',
        outDir: draft,
        paths: {},
      },
      files: files.map(file => `../${file}`),
      include: [],
    }),
  )
  try {
    const tsc = join(home, 'node_modules/typescript/bin/tsc')
    const run = spawnSync(process.execPath, [tsc, '-p', config], { encoding: 'utf8' })
    if (!existsSync(join(draft, 'index.d.ts'))) {
      throw new Error(`tsc wrote no declarations\n${run.stdout}${run.stderr}`)
    }
    for (const entry of files)
      nameNodeTypes(join(draft, entry.replace(/^src\/(.*)\.ts$/, '$1.d.ts')))
    const written = moveInto(join(dist, 'types'), draft)
    for (const file of filesUnder(join(dist, 'types'))) if (!written.has(file)) rmSync(file)
    writeWhole(typesStamp, wanted)
  } finally {
    rmSync(draft, { recursive: true, force: true })
    rmSync(config, { force: true })
  }
}

/** The declarations speak of Node's types; a project need not list them to use ours. */
function nameNodeTypes(file) {
  writeFileSync(file, `/// <reference types="node" />\n${readFileSync(file, 'utf8')}`)
}

/** File by file, each at once: a job may be checked against them meanwhile. */
function moveInto(folder, draft) {
  const written = new Set()
  for (const file of filesUnder(draft)) {
    const target = join(folder, relative(draft, file))
    mkdirSync(dirname(target), { recursive: true })
    renameSync(file, target)
    written.add(target)
  }
  return written
}

const quick = process.argv.includes('--quick')
const typesOnly = process.argv.includes('--types')
try {
  if (!typesOnly) await buildJavaScript()
  if (!quick) buildTypes()
} catch (error) {
  // esbuild has already shown what is wrong, with the line.
  if (!Array.isArray(error.errors)) throw error
  process.exitCode = 1
}
