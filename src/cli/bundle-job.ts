/**
 * Bundles a job module into one file of JavaScript with a source map.
 *
 * Only the job's own files go in. `weir` becomes the running copy, so that a process has one set of
 * classes, and every package becomes the file that Node would load, so that packages behave in a
 * job as they do anywhere else.
 */
import { realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BuildFailure, build, type Message, type Plugin } from 'esbuild'
import { cliErrors } from './cli-errors.ts'
import type { Installation } from './installation.ts'
import type { ShowPlace } from './job-file.ts'

export interface JobBundle {
  readonly code: string
  readonly sourceMap: string
  /** The job's own files, absolute, the entry among them. */
  readonly inputs: readonly string[]
}

export interface BundleOptions {
  /** Absolute path of the module. */
  readonly entry: string
  readonly installation: Installation
  /** Where the bundle will lie: sources in its map are relative to it. */
  readonly outputFolder: string
  readonly shownAs: string
  readonly showPlace: ShowPlace
}

/** Throws WEIR_JOB_TYPE_ERROR on syntax errors and imports that lead nowhere. */
export async function bundleJob(options: BundleOptions): Promise<JobBundle> {
  const { entry, installation, outputFolder } = options
  const folder = dirname(entry)
  try {
    const result = await build({
      absWorkingDir: folder,
      entryPoints: [entry],
      outfile: join(outputFolder, 'job.mjs'),
      write: false,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      // Node's own rules: esbuild's default would also take fields meant for bundlers.
      conditions: [],
      mainFields: ['main'],
      nodePaths: [installation.packagesFolder],
      // The settings of some tsconfig.json above the job must not change what runs.
      tsconfigRaw: {},
      sourcemap: 'external',
      sourcesContent: false,
      metafile: true,
      logLevel: 'silent',
      plugins: [packagesAsFiles(installation)],
    })
    const inputs = Object.keys(result.metafile.inputs).map(file => resolve(folder, file))
    const output = (suffix: string): string =>
      result.outputFiles.find(file => file.path.endsWith(suffix))?.text ?? ''
    return { code: output('.mjs'), sourceMap: output('.map'), inputs }
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    const errors = error.errors.map(message => describe(message, folder, options.showPlace))
    throw cliErrors.WEIR_JOB_TYPE_ERROR({ file: options.shownAs, errors })
  }
}

/** Marks a resolution that this plugin itself asked for. */
const own = Symbol('own')

function packagesAsFiles(installation: Installation): Plugin {
  return {
    name: 'packages-as-files',
    setup(context) {
      context.onResolve({ filter: /^[^./]/ }, async args => {
        if (args.kind === 'entry-point' || args.pluginData === own) return undefined
        const engine = installation.modules.get(args.path)
        if (engine !== undefined) return { path: engine, external: true }
        const { kind, importer, resolveDir } = args
        const found = await context.resolve(args.path, {
          kind,
          importer,
          resolveDir,
          pluginData: own,
        })
        // Built-in modules are external already; a path mapping may lead to a file of the job.
        if (found.errors.length > 0 || found.external) return found
        if (!found.path.includes('/node_modules/')) return found
        return { path: pathToFileURL(realpathSync(found.path)).href, external: true }
      })
    },
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors)
}

function describe(message: Message, folder: string, showPlace: ShowPlace): string {
  const { location, text } = message
  if (location === null) return text
  const file = resolve(folder, location.file)
  return `${showPlace(file, location.line, location.column + 1)}  ${text}`
}
