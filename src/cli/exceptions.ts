/** `weir exceptions`: the failures of a running job, the newest first. */
import type { ExceptionsView } from '../cluster/jobmanager/rest/job-view.ts'
import { formatDuration } from '../common/duration.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { getResource } from './rest-client.ts'
import { findRunningJob } from './running-jobs.ts'
import { type SteerOptions, writeJson } from './steer-options.ts'

export async function exceptions({ job, json }: SteerOptions, io: CliIo): Promise<number> {
  const run = findRunningJob(job, io)
  const view = await getResource<ExceptionsView>(run, '/exceptions')
  if (json) writeJson(view, io)
  else if (view.failures.length === 0) io.out.write('no failures\n')
  else io.out.write(view.failures.map(describe).join('\n'))
  return exitCodes.ok
}

function describe(failure: ExceptionsView['failures'][number]): string {
  const { atMs, code, message, next, stack, retryInMs, scope } = failure
  const what = scope === null ? '' : `${scope.regions} of ${scope.of} failover regions `
  const went =
    retryInMs === null ? 'not restarted' : `${what}restarted after ${formatDuration(retryInMs)}`
  const lines = [
    `${new Date(atMs).toISOString()}  ${went}`,
    `  ${code === null ? message : `${code}  ${message}`}`,
  ]
  const at = stack?.split('\n').find(line => line.trimStart().startsWith('at '))
  if (at !== undefined) lines.push(`    ${at.trim()}`)
  if (next !== null) lines.push(`  next: ${next}`)
  return `${lines.join('\n')}\n`
}
