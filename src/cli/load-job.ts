/**
 * From a job's source to its code in this process: checked, bundled, imported. An unchanged job is
 * neither checked nor bundled again (`job-cache.ts`).
 */
import { setSourceMapsSupport } from 'node:module'
import { pathToFileURL } from 'node:url'
import { isWeirError } from '../common/errors.ts'
import { cliErrors } from './cli-errors.ts'
import { errorPlace } from './error-place.ts'
import type { Installation } from './installation.ts'
import { JobCache } from './job-cache.ts'
import type { JobFile } from './job-file.ts'

export interface LoadJobOptions {
  readonly jobFile: JobFile
  readonly installation: Installation
  readonly cacheFolder: string
  readonly nodePath: string
  /** It is only bundled. */
  readonly typesChecked: boolean
  /** Told before something slow begins. */
  readonly say: (line: string) => void
}

export interface LoadedJob {
  /** The default export of the job's module. */
  readonly exported: unknown
  /** The file that was imported; its source map stands beside it. */
  readonly bundle: string
}

/**
 * Throws WEIR_JOB_TYPE_ERROR before any of its code ran, or
 * WEIR_JOB_LOAD_FAILED when its top level throws or it exports no default.
 */
export async function loadJob(options: LoadJobOptions): Promise<LoadedJob> {
  const bundle = await bundleOf(options)
  // From here on only: reading the maps of the engine's own files would slow the start.
  setSourceMapsSupport(true, { nodeModules: false, generatedCode: false })
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(bundle).href)) as Readonly<Record<string, unknown>>
  } catch (error) {
    // What the API refuses while the job is declared has a code and a next step of its own.
    throw isWeirError(error) ? error : loadFailed(options, error)
  }
  if (module.default === undefined) {
    const file = options.jobFile.shownAs
    throw cliErrors.WEIR_JOB_LOAD_FAILED({ file, where: '', reason: 'it has no default export' })
  }
  return { exported: module.default, bundle }
}

async function bundleOf(options: LoadJobOptions): Promise<string> {
  const { cacheFolder, installation, jobFile, nodePath, say, typesChecked } = options
  const { entry, shownAs, showPlace } = jobFile
  const cache = new JobCache({ cacheFolder, entry, installation })
  const known = cache.find()
  if (known !== undefined) return known
  say(typesChecked ? `bundling ${shownAs}` : `checking ${shownAs}`)
  // Both are loaded only when a job is new: they cost the start of a known one nothing.
  const { bundleJob } = await import('./bundle-job.ts')
  const { checkTypes } = await import('./check-types.ts')
  const shared = { entry, installation, showPlace, shownAs }
  const [bundle, errors] = await Promise.all([
    bundleJob({ ...shared, outputFolder: cache.folder }),
    typesChecked ? [] : checkTypes({ ...shared, workFolder: cache.folder, nodePath }),
  ])
  if (errors.length > 0) throw cliErrors.WEIR_JOB_TYPE_ERROR({ file: shownAs, errors })
  return cache.store(bundle.code, bundle.sourceMap, bundle.inputs)
}

function loadFailed({ jobFile, installation }: LoadJobOptions, cause: unknown): Error {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  const where = errorPlace(cause, installation.home, jobFile.showPlace)
  return cliErrors.WEIR_JOB_LOAD_FAILED({ file: jobFile.shownAs, where, reason }, cause)
}
