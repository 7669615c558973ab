/**
 * `weir run`: runs a manifest or a job module here, to its end if its input has one. A job of one
 * slot runs in this process; more slots are processes of their own, as they would be pods.
 */
import { jobIdOf } from '../cluster/job-id.ts'
import { settingsOf } from '../cluster/job-settings.ts'
import type { ObservedJob } from '../cluster/jobmanager/rest/observed-job.ts'
import { runLocalJob } from '../cluster/local-job.ts'
import { makeLogger } from '../common/logger.ts'
import { SystemRandom } from '../common/random.ts'
import { buildExecutionPlan } from '../graph/execution-plan.ts'
import type { JobDescriptionText } from '../protocol/job-description.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { DEFAULT_CHECKPOINT_FOLDER, openStore } from '../storage/open-store.ts'
import type { CliIo } from './cli-io.ts'
import { openRest } from './open-rest.ts'
import { type PreparedJob, type PrepareJobOptions, prepareJob } from './prepare-job.ts'
import { restoreRequest } from './restore-request.ts'
import { runJob } from './run-job.ts'
import { refuseSecondRun } from './running-jobs.ts'

export interface RunOptions extends PrepareJobOptions {
  /** `latest`, or the folder of a checkpoint or savepoint. Takes the place of spec.restore. */
  readonly restore?: string
  /** Operators (uid) whose state may be given up, beside those of the manifest. */
  readonly dropState?: readonly string[]
  /** Another job, whose checkpoint or savepoint is restored. */
  readonly fromJob?: string
  /** False: no REST API, so that `weir list` and its like do not see the job. */
  readonly rest?: boolean
  /** Default: any free one. */
  readonly restPort?: number
  /** Each slot a process, also a single one. */
  readonly processes?: boolean
  /** All slots in this process, however many. */
  readonly inProcess?: boolean
}

/** Gives the exit code. Throws what is wrong before the job starts. */
export async function run(options: RunOptions, io: CliIo): Promise<number> {
  const prepared = await prepareJob(options, io)
  const { manifest, graph } = prepared
  for (const { message, next } of graph.warnings) {
    io.err.write(`warning: ${message}\n  next: ${next}\n`)
  }
  const store = openStore({
    location: manifest.spec.checkpoint.storage ?? DEFAULT_CHECKPOINT_FOLDER,
    folder: io.cwd,
    random: new SystemRandom(),
    clock: io.clock,
  })
  for (const { message, next } of (await store.probe?.()) ?? []) {
    io.err.write(`warning: ${message}\n  next: ${next}\n`)
  }
  const { metadata } = manifest
  if (restoreRequest(options, manifest, io.cwd).kind === 'none') {
    refuseSecondRun(jobIdOf(metadata.name, metadata.namespace), store.location, io)
  }
  const isMany = buildExecutionPlan(graph).slots > 1
  const apart = options.inProcess !== true && (options.processes === true || isMany)
  return apart
    ? runApart(options, prepared, { io, store })
    : runHere(options, prepared, { io, store })
}

interface RunParts {
  readonly io: CliIo
  readonly store: ObjectStore
}

async function runApart(
  options: RunOptions,
  prepared: PreparedJob,
  { io, store }: RunParts,
): Promise<number> {
  const { ProcessJob } = await import('./processes/process-job.ts')
  const { manifest, graph, bundle, installation } = prepared
  const { metadata } = manifest
  const description: JobDescriptionText = {
    formatVersion: 1,
    run: new SystemRandom().uuid(),
    manifest,
    bundle,
    storeLocation: store.address ?? store.location,
    restore: restoreRequest(options, manifest, io.cwd),
    rest: options.rest === false ? null : { port: options.restPort ?? 0, folder: io.cwd },
  }
  const jobId = jobIdOf(metadata.name, metadata.namespace)
  return runJob(onNotice => {
    const job = new ProcessJob({ graph, jobId, description, installation, io, onNotice })
    job.start()
    return job
  }, io)
}

async function runHere(
  options: RunOptions,
  { manifest, graph, planAt, installation }: PreparedJob,
  { io, store }: RunParts,
): Promise<number> {
  const { metadata, spec } = manifest
  const { clock } = io
  const random = new SystemRandom()
  const logger = makeLogger({ level: io.config.logLevel, write: line => io.err.write(line) })
  const jobId = jobIdOf(metadata.name, metadata.namespace)
  const settings = settingsOf(spec)
  let closeRest = async (): Promise<void> => {}
  const code = await runJob(onNotice => {
    const job = runLocalJob({
      graph,
      planAt,
      jobId,
      store,
      restore: restoreRequest(options, manifest, io.cwd),
      settings,
      clock,
      random,
      logger,
      onNotice,
    })
    if (options.rest !== false) {
      const { version } = installation
      const { args } = spec.job
      const observed: ObservedJob = {
        job,
        jobId,
        settings,
        args,
        store,
        clock,
        version,
        get graph() {
          return job.graph
        },
      }
      const say = (text: string): void => onNotice({ level: 'info', text })
      closeRest = openRest({ observed, port: options.restPort ?? 0, random, say }, io)
    }
    return job
  }, io)
  await closeRest()
  return code
}
