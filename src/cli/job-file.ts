/**
 * Reads the FILE of a command: a StreamJob manifest, or a job module that runs with the defaults of
 * one. Tells where the job's TypeScript is and how its places are shown.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { assert } from '../common/assert.ts'
import { messageOf } from '../common/errors.ts'
import { parseStreamJob } from '../protocol/parse-stream-job.ts'
import type { StreamJob } from '../protocol/stream-job.ts'
import { cliErrors } from './cli-errors.ts'
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
  readonly installation: Installation
}

const manifestKinds = new Set(['.yaml', '.yml', '.json'])
const moduleKinds = new Set(['.ts', '.mts', '.js', '.mjs'])

/** Throws what is wrong with the file, its manifest, or the way to its module. */
export function readJobFile(options: JobFileOptions): JobFile {
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
    const entry = writeInline(job.inline, options)
    return { manifest, entry, shownAs: file, showPlace: inManifest(options, entry, inlineLine) }
  }
  if (job.module === undefined) {
    const remote = job.bundle === undefined ? 'configMap' : 'bundle'
    throw cliErrors.WEIR_JOB_SOURCE_UNSUPPORTED({ file, kind: remote })
  }
  const entry = resolveModule(job.module, dirname(path), cwd)
  return { manifest, entry, ...shownFrom(cwd, entry) }
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

/** An inline job gets a file, and beside it the packages it may import. */
function writeInline(text: string, { cacheFolder, installation }: JobFileOptions): string {
  const name = createHash('sha256').update(text).update(installation.home).digest('hex')
  const folder = join(cacheFolder, 'inline', name.slice(0, 24))
  mkdirSync(folder, { recursive: true })
  const packages = join(folder, 'node_modules')
  if (!existsSync(packages)) symlinkSync(installation.packagesFolder, packages)
  const file = join(folder, 'job.ts')
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
