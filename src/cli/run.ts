/** `weir run`: runs a manifest or a job module here, to its end if its input has one. */
import { resolve } from 'node:path'
import { jobIdOf } from '../cluster/job-id.ts'
import { type RestoreRequest, settingsOf } from '../cluster/job-settings.ts'
import type { ObservedJob } from '../cluster/jobmanager/rest/observed-job.ts'
import { runLocalJob } from '../cluster/local-job.ts'
import { makeLogger } from '../common/logger.ts'
import { SystemRandom } from '../common/random.ts'
import type { StreamJob } from '../protocol/stream-job.ts'
import { DEFAULT_CHECKPOINT_FOLDER, openStore } from '../storage/open-store.ts'
import type { CliIo } from './cli-io.ts'
import { findInstallation } from './installation.ts'
import { openRest } from './open-rest.ts'
import { type PrepareJobOptions, prepareJob } from './prepare-job.ts'
import { runJob } from './run-job.ts'

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
}

/** Gives the exit code. Throws what is wrong before the job starts. */
export async function run(options: RunOptions, io: CliIo): Promise<number> {
  const { manifest, graph, planAt } = await prepareJob(options, io)
  for (const { message, next } of graph.warnings) {
    io.err.write(`warning: ${message}\n  next: ${next}\n`)
  }
  const { metadata, spec } = manifest
  const random = new SystemRandom()
  const store = openStore({
    location: spec.checkpoint.storage ?? DEFAULT_CHECKPOINT_FOLDER,
    folder: io.cwd,
    random,
  })
  const logger = makeLogger({ level: io.config.logLevel, write: line => io.err.write(line) })
  const jobId = jobIdOf(metadata.name, metadata.namespace)
  const settings = settingsOf(spec)
  const { clock } = io
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
      const { version } = findInstallation()
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

function restoreRequest(options: RunOptions, manifest: StreamJob, cwd: string): RestoreRequest {
  const { restore: from } = options
  const { restore, upgrade } = manifest.spec
  const dropState = [...(upgrade.dropState ?? []), ...(options.dropState ?? [])]
  if (from === 'latest') return { kind: 'latest', dropState }
  // On a cluster spec.restore.savepoint names a resource; here a folder takes its place.
  const path = from ?? restore?.path
  if (path === undefined) return { kind: 'none' }
  const place = path.includes('://') ? path : resolve(cwd, path)
  const fromJob = options.fromJob ?? restore?.fromJob
  return { kind: 'path', path: place, dropState, ...(fromJob === undefined ? {} : { fromJob }) }
}
