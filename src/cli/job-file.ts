/**
 * Reads the FILE of a command: a StreamJob manifest, or a job module that runs with the defaults of
 * one. Tells where the job's TypeScript is and how its places are shown.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { assert, assertDefined } from '../common/assert.ts'
import type { Clock } from '../common/clock.ts'
import { messageOf } from '../common/errors.ts'
import type { Random } from '../common/random.ts'
import { parseStreamJob } from '../protocol/parse-stream-job.ts'
import type { StreamJob } from '../protocol/stream-job.ts'
import { cliErrors } from './cli-errors.ts'
import { type FetchedModule, fetchBundle } from './fetch-bundle.ts'
import type { Installation } from './installation.ts'

/** A place in the job's source as the user knows it: `jobs/a.ts:12:5`, `job.yaml:30`. */
export type ShowPlace = (file: string, line: number, column: number) => string

export interface JobFile {
  readonly manifest: StreamJob
  /** Absolute path of the TypeScript or JavaScript module. */
  readonly entry: string
  /** The job's name in errors: the module's path, or the manifest's for an inline job. */
  readonly shownAs: string
  readonly showPlace: ShowPlace
}

export interface JobFileOptions {
  /** As given on the command line. */
  readonly file: string
  readonly cwd: string
  readonly set: readonly string[]
  readonly cacheFolder: string
  /** Holds ConfigMaps as folders, and their keys as files. */
  readonly configMapsFolder: string | undefined
  readonly installation: Installation
  readonly random: Random
  readonly clock: Clock
}

const manifestKinds = new Set(['.yaml', '.yml', '.json'])
const moduleKinds = new Set(['.ts', '.mts', '.js', '.mjs'])

/** Throws what is wrong with the file, its manifest, or the way to its module. */
export async function readJobFile(options: JobFileOptions): Promise<JobFile> {
  const { file, cwd, set } = options
  const path = resolve(cwd, file)
  const kind = extname(path)
  if (moduleKinds.has(kind)) {
    if (!existsSync(path))
      throw cliErrors.WEIR_COMMAND_FILE_UNREADABLE({ file, reason: 'no such file' })
    const text = manifestForModule(path)
    const { manifest } = parseStreamJob({ text, file, set })
    return { manifest, entry: path, ...shownFrom(cwd, path) }
  }
  if (!manifestKinds.has(kind)) throw cliErrors.WEIR_COMMAND_FILE_UNKNOWN({ file })
  const { manifest, inlineLine } = parseStreamJob({ text: readText(path, file), file, set })
  const { job } = manifest.spec
  if (job.inline !== undefined) {
    const entry = writeModule({ name: 'job.ts', text: job.inline }, options)
    return { manifest, entry, shownAs: file, showPlace: inManifest(options, entry, inlineLine) }
  }
  if (job.bundle !== undefined) {
    const { bundle } = job
    const entry = writeModule(await fetchBundle({ ...options, bundle }), options)
    return { manifest, entry, ...shownInstead(options, entry, bundle.url) }
  }
  if (job.configMap !== undefined) {
    const entry = writeModule(readConfigMap(job.configMap, options), options)
    const { name, key } = job.configMap
    return { manifest, entry, ...shownInstead(options, entry, `${name}/${key}`) }
  }
  const module = assertDefined(job.module, 'a job has one of its four sources')
  const entry = resolveModule(module, dirname(path), cwd)
  return { manifest, entry, ...shownFrom(cwd, entry) }
}

function readConfigMap(
  { name, key }: NonNullable<StreamJob['spec']['job']['configMap']>,
  { configMapsFolder = '' }: JobFileOptions,
): FetchedModule {
  const file = join(configMapsFolder, name, key)
  const isThere = configMapsFolder !== '' && existsSync(file)
  if (!isThere) throw cliErrors.WEIR_JOB_CONFIG_MAP_MISSING({ name, key, file })
  // A key may be named anyhow; its text is TypeScript unless it says otherwise.
  const kind = moduleKinds.has(extname(key)) ? extname(key) : '.ts'
  return { name: `job${kind}`, text: readText(file, file) }
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw cliErrors.WEIR_COMMAND_FILE_UNREADABLE({ file, reason: messageOf(error) }, error)
  }
}

/** The manifest that a bare module stands for; its job is named after the file. */
function manifestForModule(path: string): string {
  const plain = basename(path, extname(path))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
  const name = plain
    .replace(/^[^a-z]+/, '')
    .slice(0, 45)
    .replace(/-+$/, '')
  return JSON.stringify({
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { name: name === '' ? 'job' : name },
    spec: { job: { module: basename(path) } },
  })
}

/**
 * A module is relative to a root: on a cluster the image's folder, here the manifest's folder or
 * the nearest one above it that has the file, up to the project's package.json; last the current
 * folder.
 */
function resolveModule(module: string, manifestFolder: string, cwd: string): string {
  const folders: string[] = []
  for (let folder = manifestFolder; ; folder = dirname(folder)) {
    folders.push(folder)
    if (existsSync(join(folder, 'package.json')) || dirname(folder) === folder) break
  }
  if (!folders.includes(cwd)) folders.push(cwd)
  const found = folders.map(folder => join(folder, module)).find(file => existsSync(file))
  if (found === undefined) throw cliErrors.WEIR_JOB_NOT_FOUND({ module, folders })
  return found
}

/** Code without a place gets a file, and beside it the packages it may import. */
function writeModule({ name, text }: FetchedModule, options: JobFileOptions): string {
  const { cacheFolder, installation } = options
  const digest = createHash('sha256').update(text).update(installation.home).digest('hex')
  const folder = join(cacheFolder, 'inline', digest.slice(0, 24))
  mkdirSync(folder, { recursive: true })
  const packages = join(folder, 'node_modules')
  if (!existsSync(packages)) symlinkSync(installation.packagesFolder, packages)
  const file = join(folder, name)
  if (!existsSync(file)) {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
    writeFileSync(file, text)
  }
  return file
}

function shownFrom(cwd: string, entry: string): Pick<JobFile, 'shownAs' | 'showPlace'> {
  return {
    shownAs: shorter(cwd, entry),
    showPlace: (file, line, column) => `${shorter(cwd, file)}:${line}:${column}`,
  }
}

/** The file in the cache is nobody's: places are shown where the code came from. */
function shownInstead(
  { cwd }: JobFileOptions,
  entry: string,
  source: string,
): Pick<JobFile, 'shownAs' | 'showPlace'> {
  return {
    shownAs: source,
    showPlace: (file, line, column) =>
      `${file === entry ? source : shorter(cwd, file)}:${line}:${column}`,
  }
}

function shorter(cwd: string, file: string): string {
  const path = relative(cwd, file)
  return path.startsWith('..') ? file : path
}

/**
 * Line 1 of an inline job is a line of the manifest; a value set by --set has only its own lines.
 */
function inManifest(options: JobFileOptions, entry: string, first: number | undefined): ShowPlace {
  assert(first === undefined || first > 0, 'lines count from 1')
  return (file, line, column) => {
    if (file !== entry) return `${shorter(options.cwd, file)}:${line}:${column}`
    return first === undefined ? `spec.job.inline:${line}` : `${options.file}:${first + line - 1}`
  }
}
