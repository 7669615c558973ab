/** Finds the running job that a verb is about. */
import { findRunFiles, type RunFile } from '../cluster/jobmanager/rest/run-file.ts'
import { closestName } from '../common/closest-name.ts'
import { defineErrors } from '../common/errors.ts'
import type { CliIo } from './cli-io.ts'

export const runningJobErrors = defineErrors({
  WEIR_NO_JOB_RUNNING: {
    domain: 'user',
    retry: 'never',
    message: (e: { folder: string }) => `no job runs that was started in ${e.folder}`,
    next: 'go to the folder in which weir run was started; a run with --no-rest cannot be steered',
  },
  WEIR_SEVERAL_JOBS_RUNNING: {
    domain: 'user',
    retry: 'never',
    message: (e: { names: readonly string[] }) => `several jobs run: ${e.names.join(', ')}`,
    next: 'name one of them',
  },
  WEIR_JOB_NOT_RUNNING: {
    domain: 'user',
    retry: 'never',
    message: (e: { name: string; running: readonly string[]; closest: string | undefined }) =>
      `no job ${e.name} runs here, but ${e.running.join(', ')}${meant(e.closest)}`,
    next: 'name one of them, or leave the name out where only one runs',
  },
  WEIR_JOB_RUNS_ALREADY: {
    domain: 'user',
    retry: 'never',
    message: (e: { name: string; pid: number }) =>
      `job ${e.name} runs already (process ${e.pid}): a second run would take it over`,
    next:
      'stop that one first (weir stop), or go on in its place by --restore latest; ' +
      'another job needs another metadata.name',
  },
  WEIR_JOB_UNREACHABLE: {
    domain: 'external',
    retry: 'later',
    message: (e: { name: string; url: string; reason: string }) =>
      `job ${e.name} does not answer at ${e.url}: ${e.reason}`,
    next: 'look at the terminal of weir run: the job may just have ended',
  },
})

function meant(closest: string | undefined): string {
  return closest === undefined ? '' : `: did you mean ${closest}?`
}

/**
 * The job of this name or id, or the only one that runs. Throws WEIR_NO_JOB_RUNNING,
 * WEIR_SEVERAL_JOBS_RUNNING or WEIR_JOB_NOT_RUNNING.
 */
export function findRunningJob(name: string | undefined, io: CliIo): RunFile {
  const runs = findRunFiles(io.cwd)
  const [first, ...others] = runs
  if (first === undefined) throw runningJobErrors.WEIR_NO_JOB_RUNNING({ folder: io.cwd })
  if (name === undefined && others.length === 0) return first
  if (name === undefined) {
    const names = runs.map(run => shortestName(run, runs))
    throw runningJobErrors.WEIR_SEVERAL_JOBS_RUNNING({ names })
  }
  const named = runs.filter(run => [run.jobId, run.name, nameIn(run.jobId)].includes(name))
  if (named.length > 1) {
    const names = named.map(run => run.jobId)
    throw runningJobErrors.WEIR_SEVERAL_JOBS_RUNNING({ names })
  }
  if (named[0] !== undefined) return named[0]
  const running = runs.map(run => shortestName(run, runs))
  const closest = closestName(name, running)
  throw runningJobErrors.WEIR_JOB_NOT_RUNNING({ name, running, closest })
}

/**
 * Throws WEIR_JOB_RUNS_ALREADY for a job that a fresh start would end: it would lose its
 * checkpoints to the newer run. Who restores means to take over.
 */
export function refuseSecondRun(jobId: string, store: string, io: CliIo): void {
  const run = findRunFiles(io.cwd).find(one => one.jobId === jobId && one.store === store)
  if (run !== undefined) {
    throw runningJobErrors.WEIR_JOB_RUNS_ALREADY({ name: run.name, pid: run.pid })
  }
}

/** The manifest's name, which the job itself may not share. */
function nameIn(jobId: string): string {
  return jobId.slice(jobId.indexOf('.') + 1)
}

/** The id where two namespaces have a job of the same name. */
function shortestName(run: RunFile, runs: readonly RunFile[]): string {
  return runs.filter(other => other.name === run.name).length === 1 ? run.name : run.jobId
}
