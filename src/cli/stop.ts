/** `weir stop`: ends a running job after a last checkpoint, from which it can go on. */
import type { EndView } from '../cluster/jobmanager/rest/job-steering.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { describeError } from './describe-error.ts'
import { errorOfView, order } from './rest-client.ts'
import { findRunningJob } from './running-jobs.ts'
import { type SteerOptions, writeJson } from './steer-options.ts'

export interface StopOptions extends SteerOptions {
  /** Keeps the last checkpoint as a savepoint: no later run removes it. */
  readonly savepoint?: boolean
}

/** Waits for the job's end; prints where it can go on from. */
export async function stop(options: StopOptions, io: CliIo): Promise<number> {
  const { job, json, savepoint = false } = options
  const run = findRunningJob(job, io)
  const end = await order<EndView>(run, '/stop', { savepoint })
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
