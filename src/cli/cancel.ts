/** `weir cancel`: ends a running job at once, without a checkpoint. */
import type { EndView } from '../cluster/jobmanager/rest/job-steering.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { order } from './rest-client.ts'
import { findRunningJob } from './running-jobs.ts'
import { type SteerOptions, writeJson } from './steer-options.ts'

/** Waits for the job's end. */
export async function cancel({ job, json }: SteerOptions, io: CliIo): Promise<number> {
  const run = findRunningJob(job, io)
  const end = await order<EndView>(run, '/cancel', {})
  if (json) writeJson(end, io)
  else io.err.write(`${run.name} ${end.outcome}\n`)
  return exitCodes.ok
}
