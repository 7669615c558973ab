/** `weir rescale`: moves a running job to another parallelism, over a last checkpoint. */
import { type CliIo, exitCodes } from './cli-io.ts'
import { order } from './rest-client.ts'
import { findRunningJob } from './running-jobs.ts'
import { type SteerOptions, writeJson } from './steer-options.ts'

export interface RescaleOptions extends SteerOptions {
  readonly parallelism: number
}

/** Waits until the job is starting there. */
export async function rescale(options: RescaleOptions, io: CliIo): Promise<number> {
  const { job, json, parallelism } = options
  const run = findRunningJob(job, io)
  const answer = await order<object>(run, '/rescale', { parallelism })
  if (json) writeJson(answer, io)
  else io.err.write(`${run.name} goes on at parallelism ${parallelism}\n`)
  return exitCodes.ok
}
