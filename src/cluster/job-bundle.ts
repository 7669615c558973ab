/** The code of a job as it goes from process to process: one module and its source map. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isJob, type Job } from '../api/job.ts'
import { isWeirError, messageOf } from '../common/errors.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import { describeJob } from '../graph/plan-json.ts'
import { clusterErrors } from './cluster-errors.ts'

export interface JobBundle {
  readonly code: string
  /** Its sources by absolute paths; empty without one. */
  readonly sourceMap: string
  /** Of the code. */
  readonly digest: string
}

/** Reads a bundle and the map beside it. Throws WEIR_JOB_BUNDLE_BROKEN. */
export function readBundle(file: string): JobBundle {
  try {
    const code = readFileSync(file, 'utf8')
    return { code, sourceMap: readMap(`${file}.map`), digest: digestOf(code) }
  } catch (error) {
    throw broken(error)
  }
}

/**
 * Stores the bundle in a folder and imports it. Throws WEIR_JOB_BUNDLE_BROKEN, or what the job's
 * own declarations are refused with.
 */
export async function importBundle(bundle: JobBundle, folder: string): Promise<Job> {
  const { code, digest, sourceMap } = bundle
  if (digestOf(code) !== digest) throw broken(new Error('it was damaged on its way'))
  const name = `job-${digest.slice(0, 16)}.mjs`
  const file = join(folder, name)
  try {
    mkdirSync(folder, { recursive: true })
    if (sourceMap !== '') writeWhole(`${file}.map`, sourceMap)
    const bare = code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
    writeWhole(file, sourceMap === '' ? bare : `${bare}//# sourceMappingURL=${name}.map\n`)
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown }
    if (isJob(module.default)) return module.default
  } catch (error) {
    throw isWeirError(error) ? error : broken(error)
  }
  throw broken(new Error('its default export is no job'))
}

/** The processes of a job share the folder: one imports what another writes at that moment. */
function writeWhole(file: string, text: string): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, text)
  renameSync(draft, file)
}

/** The same for every process that built the same graph; places in files may differ. */
export function graphDigest(graph: JobGraph): string {
  const { warnings: _, ...plan } = describeJob(graph)
  return digestOf(JSON.stringify(plan, (key, value) => (key === 'location' ? undefined : value)))
}

function readMap(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return ''
  }
  const map = JSON.parse(text) as { readonly sources: readonly string[] }
  const sources = map.sources.map(source => resolve(dirname(file), source))
  return JSON.stringify({ ...map, sources })
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function broken(cause: unknown): Error {
  return clusterErrors.WEIR_JOB_BUNDLE_BROKEN({ reason: messageOf(cause) }, cause)
}
