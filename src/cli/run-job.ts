/**
 * Watches a running job from the terminal: draws the summary, turns Ctrl-C into a graceful stop and
 * a second one into a hard end, and gives the command's exit code.
 */
import type { JobNotice, JobResult, LocalJob } from '../cluster/local-job.ts'
import { type CliIo, exitCodes, type StopSignal } from './cli-io.ts'
import { describeError } from './describe-error.ts'
import { RunSummary } from './run-summary.ts'

/** A job as whoever watches it sees it. */
export interface WatchedJob extends Pick<LocalJob, 'done' | 'progress'> {
  /** Orders it to end after a last checkpoint; `done` says how it did. */
  stop(): unknown
}

/** Starts the job; what it has to say while it runs goes to `notify`. */
export type StartJob = (notify: (notice: JobNotice) => void) => WatchedJob

/**
 * Exit code of the command: 0, also for a job stopped by `weir stop`; 1 for a failed job, 2 for one
 * that was refused before anything of it ran; 130 and 143 for one stopped by a signal; 143 for a
 * cancelled one.
 */
export async function runJob(start: StartJob, io: CliIo): Promise<number> {
  const summary = new RunSummary(io.err)
  const job = start(notice => summary.note(notice.text))
  let stoppedBy: StopSignal | undefined
  const release = io.onStop(signal => {
    if (stoppedBy !== undefined) io.exitNow(codeOf(signal))
    stoppedBy = signal
    summary.note('stopping after a last checkpoint; once more to stop at once')
    job.stop()
  })
  const watch = (): void => {
    summary.update(job.progress())
    timer = io.clock.schedule(summary.intervalMs, watch)
  }
  let timer = io.clock.schedule(summary.intervalMs, watch)
  const result = await job.done
  timer.cancel()
  release()
  summary.end(job.progress())
  return report(result, io, stoppedBy)
}

function report(result: JobResult, io: CliIo, stoppedBy: StopSignal | undefined): number {
  if (result.outcome === 'failed') {
    io.err.write(describeError(result.error))
    if (result.lastCheckpointPath !== undefined) {
      io.err.write(`  restore: --restore latest goes on from ${result.lastCheckpointPath}\n`)
    }
    return result.refused ? exitCodes.invalid : exitCodes.failed
  }
  if (result.outcome === 'finished') return exitCodes.ok
  if (result.lastCheckpointPath !== undefined) {
    io.err.write(`${result.outcome}; --restore latest goes on from ${result.lastCheckpointPath}\n`)
  }
  // Nobody interrupted it: it did as it was told through the REST API.
  if (stoppedBy === undefined && result.outcome === 'stopped') return exitCodes.ok
  return codeOf(stoppedBy ?? 'SIGTERM')
}

function codeOf(signal: StopSignal): number {
  return signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated
}
