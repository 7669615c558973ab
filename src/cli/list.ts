/** `weir list`: the jobs that were started in this folder and still run. */
import type { OverviewView } from '../cluster/jobmanager/rest/job-view.ts'
import { findRunFiles, type RunFile } from '../cluster/jobmanager/rest/run-file.ts'
import { formatDuration } from '../common/duration.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { getResource } from './rest-client.ts'
import { type SteerOptions, writeJson } from './steer-options.ts'
import { textTable } from './text-table.ts'

export async function list({ json }: SteerOptions, io: CliIo): Promise<number> {
  const found = await Promise.all(findRunFiles(io.cwd).map(overviewOf))
  const jobs = found.filter(job => job !== undefined)
  if (json) writeJson(jobs, io)
  else if (jobs.length === 0) io.err.write('no job runs that was started here\n')
  else io.out.write(textTable([['NAME', 'STATUS', 'TIME', 'IN', 'OUT', 'PID'], ...jobs.map(row)]))
  return exitCodes.ok
}

interface ListedJob extends OverviewView {
  readonly pid: number
  readonly url: string
}

/** One that ends at this moment is no longer there. */
async function overviewOf(run: RunFile): Promise<ListedJob | undefined> {
  try {
    const { pid, url } = run
    return { ...(await getResource<OverviewView>(run, '/overview')), pid, url }
  } catch {
    return undefined
  }
}

function row({ name, status, elapsedMs, recordsIn, recordsOut, pid }: ListedJob): string[] {
  const counts = [recordsIn, recordsOut].map(count => count.toLocaleString('en-US'))
  return [name, status, formatDuration(Math.round(elapsedMs)), ...counts, String(pid)]
}
