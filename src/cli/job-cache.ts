/**
 * Keeps the bundle of a job that was found right, under the contents of everything it was made of:
 * the job's files, the packages its project locks, and the build of Weir.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Installation } from './installation.ts'

export interface JobCacheOptions {
  readonly cacheFolder: string
  readonly entry: string
  readonly installation: Installation
}

interface CacheEntry {
  readonly key: string
  readonly inputs: readonly string[]
  /** File name of the bundle, beside the entry. */
  readonly bundle: string
}

export class JobCache {
  /** Holds this job's bundle and what is generated for its check. */
  readonly folder: string
  readonly #options: JobCacheOptions

  constructor(options: JobCacheOptions) {
    this.#options = options
    const { home, buildId } = options.installation
    const name = digest([options.entry, home, buildId]).slice(0, 24)
    this.folder = join(options.cacheFolder, 'jobs', name)
  }

  /** The bundle's path, if nothing it was made of has changed. */
  find(): string | undefined {
    const entry = this.#readEntry()
    if (entry === undefined || entry.key !== this.#keyOf(entry.inputs)) return undefined
    const bundle = join(this.folder, entry.bundle)
    return existsSync(bundle) ? bundle : undefined
  }

  /** Stores a bundle; a process that stores the same at the same time does no harm. */
  store(code: string, sourceMap: string, inputs: readonly string[]): string {
    mkdirSync(this.folder, { recursive: true })
    const key = this.#keyOf(inputs)
    // Named by content: a process that still runs the old bundle keeps its source map.
    const bundle = `job-${key.slice(0, 16)}.mjs`
    writeWhole(join(this.folder, `${bundle}.map`), sourceMap)
    writeWhole(join(this.folder, bundle), `${code}//# sourceMappingURL=${bundle}.map\n`)
    const entry: CacheEntry = { key, inputs, bundle }
    writeWhole(join(this.folder, 'entry.json'), JSON.stringify(entry))
    return join(this.folder, bundle)
  }

  #readEntry(): CacheEntry | undefined {
    try {
      return JSON.parse(readFileSync(join(this.folder, 'entry.json'), 'utf8')) as CacheEntry
    } catch {
      // Absent or torn: the same as never made.
      return undefined
    }
  }

  #keyOf(inputs: readonly string[]): string {
    const { entry, installation } = this.#options
    const files = [...inputs, ...projectFiles(entry), join(installation.home, 'tsconfig.job.json')]
    return digest([installation.buildId, ...files.flatMap(file => [file, contentOf(file)])])
  }
}

/** What decides the versions of the packages a job imports. */
function projectFiles(entry: string): readonly string[] {
  let folder = dirname(entry)
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) return []
    folder = parent
  }
  return ['package.json', 'package-lock.json'].map(file => join(folder, file))
}

function contentOf(file: string): Buffer | string {
  try {
    return readFileSync(file)
  } catch {
    return 'absent'
  }
}

function digest(parts: readonly (Buffer | string)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}\0`).update(part)
  return hash.digest('hex')
}

/** A reader sees the old file or the new one, never a part. */
function writeWhole(file: string, content: string): void {
  const draft = `${file}.${digest([content]).slice(0, 8)}.draft`
  try {
    writeFileSync(draft, content)
    renameSync(draft, file)
  } finally {
    rmSync(draft, { force: true })
  }
}
