/** `weir savepoint`: takes a savepoint of a running job, which goes on. */
import type { SavepointView } from '../cluster/jobmanager/rest/job-steering.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { describeError } from './describe-error.ts'
import { errorOfView, order } from './rest-client.ts'
import { findRunningJob } from './running-jobs.ts'
import { type SteerOptions, writeJson } from './steer-options.ts'

/** Prints the savepoint's path. */
export async function triggerSavepoint({ job, json }: SteerOptions, io: CliIo): Promise<number> {
  const run = findRunningJob(job, io)
  const view = await order<SavepointView>(run, '/savepoints', {})
  if (json) writeJson(view, io)
  if (view.error !== null) {
    io.err.write(describeError(errorOfView(view.error)))
    return exitCodes.failed
  }
  if (!json) io.out.write(`${view.path}\n`)
  return exitCodes.ok
}
