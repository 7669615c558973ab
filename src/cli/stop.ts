/** `weir stop`: ends a running job after a last checkpoint, from which it can go on. */
import type { EndView } from '../cluster/jobmanager/rest/job-steering.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { describeError } from './describe-error.ts'
import { errorOfView, order } from './rest-client.ts'
import { findRunningJob } from './running-jobs.ts'
import { type SteerOptions, writeJson } from './steer-options.ts'

export interface StopOptions extends SteerOptions {
  /** The last snapshot is a savepoint: no later run removes it. */
  readonly savepoint?: boolean
  /** Windows fire first: for a job that is not to go on. */
  readonly drain?: boolean
}

/**
 * Waits for the job's end; prints where it can go on from. Exit code 1: it failed, or it goes on
 * because its savepoint failed.
 */
export async function stop(options: StopOptions, io: CliIo): Promise<number> {
  const { job, json, savepoint = false, drain = false } = options
  const run = findRunningJob(job, io)
  const end = await order<EndView>(run, '/stop', { savepoint, drain })
  if (json) writeJson(end, io)
  if (end.error !== null) {
    io.err.write(describeError(errorOfView(end.error)))
    return exitCodes.failed
  }
  const path = end.savepointPath ?? end.lastCheckpointPath
  io.err.write(`${run.name} ${end.outcome}${path === null ? '' : '; --restore goes on from'}\n`)
  if (!json && path !== null) io.out.write(`${path}\n`)
  return exitCodes.ok
}
