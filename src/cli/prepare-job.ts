/**
 * What `run` and `plan` begin with: from FILE and flags to a manifest and the graph of its job.
 * Nothing of the engine runs yet.
 */
import { isJob, type Job, type Pipeline } from '../api/job.ts'
import { isWeirError } from '../common/errors.ts'
import { SystemRandom } from '../common/random.ts'
import { buildJobGraph } from '../graph/build-job-graph.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import { buildStreamGraph } from '../graph/stream-graph.ts'
import type { StreamJob } from '../protocol/stream-job.ts'
import { cliErrors } from './cli-errors.ts'
import type { CliIo } from './cli-io.ts'
import { errorPlace } from './error-place.ts'
import { findInstallation, type Installation } from './installation.ts'
import { type JobFile, readJobFile } from './job-file.ts'
import { loadJob } from './load-job.ts'

export interface PrepareJobOptions {
  /** A manifest or a job module. */
  readonly file: string
  readonly set: readonly string[]
  readonly parallelism?: number
  /** Takes the place of spec.stateBackend.type. */
  readonly state?: string
  /** This very code was checked before. */
  readonly typesChecked?: boolean
}

export interface PreparedJob {
  readonly manifest: StreamJob
  readonly graph: JobGraph
  /** The same job for other slots, with the same key groups. */
  readonly planAt: (parallelism: number) => JobGraph
  /** The file with the job's code. */
  readonly bundle: string
  readonly installation: Installation
}

/** Throws what is wrong with the file, the manifest, the job's types, or its builder function. */
export async function prepareJob(options: PrepareJobOptions, io: CliIo): Promise<PreparedJob> {
  const { cacheFolder, configMapsFolder } = io.config
  const installation = findInstallation()
  const { file, typesChecked = false } = options
  const set = overrides(options)
  const jobFile = await readJobFile({
    file,
    cwd: io.cwd,
    set,
    cacheFolder,
    configMapsFolder,
    installation,
    random: new SystemRandom(),
    clock: io.clock,
  })
  const { exported, bundle } = await loadJob({
    jobFile,
    installation,
    cacheFolder,
    nodePath: io.nodePath,
    typesChecked,
    say: line => io.err.write(`${line}\n`),
  })
  if (!isJob(exported)) {
    const reason = 'its default export is not made by job(...)'
    throw cliErrors.WEIR_JOB_LOAD_FAILED({ file: jobFile.shownAs, where: '', reason })
  }
  const { manifest } = jobFile
  const { spec, metadata } = manifest
  const { maxParallelism } = spec
  const graphOptions = { name: metadata.name, maxParallelism, checkpointing: spec.checkpoint.mode }
  const planAt = (parallelism: number): JobGraph => {
    const pipeline = buildPipeline(exported, jobFile, { home: installation.home, parallelism })
    return buildJobGraph(buildStreamGraph(pipeline, graphOptions), graphOptions)
  }
  return { manifest, graph: planAt(spec.parallelism), planAt, bundle, installation }
}

interface BuildPlace {
  readonly home: string
  readonly parallelism: number
}

function buildPipeline(job: Job, jobFile: JobFile, { home, parallelism }: BuildPlace): Pipeline {
  const { spec } = jobFile.manifest
  try {
    return job.build({ args: spec.job.args, parallelism })
  } catch (error) {
    // What the API refuses has a code, the line and a next step of its own.
    if (isWeirError(error)) throw error
    const where = errorPlace(error, home, jobFile.showPlace)
    const file = jobFile.shownAs
    throw cliErrors.WEIR_JOB_BUILD_FAILED({ file, where, reason: String(error) }, error)
  }
}

/** Flags are short forms of --set. */
function overrides({ set, parallelism, state }: PrepareJobOptions): string[] {
  const all = [...set]
  if (parallelism !== undefined) all.push(`spec.parallelism=${parallelism}`)
  if (state !== undefined) all.push(`spec.stateBackend.type=${state}`)
  return all
}
