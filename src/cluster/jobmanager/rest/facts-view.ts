/** A running job as the controller wants to know it: see `protocol/job-facts.ts`. */
import { FACT_CHARS_MAX, type JobFacts } from '../../../protocol/job-facts.ts'
import type { JobHistory } from '../job-history.ts'
import type { JobSteering } from './job-steering.ts'
import type { ObservedJob } from './observed-job.ts'

export function factsView(observed: ObservedJob, steering: JobSteering): JobFacts {
  const { job, graph } = observed
  const { status, restarts } = job.progress()
  const failure = job.history.failures.at(-1)
  return {
    status,
    parallelism: graph.parallelism,
    restarts,
    lastFailure:
      failure === undefined ? null : { message: shortened(failure.message), atMs: failure.atMs },
    latest: job.history.latest ?? null,
    checkpoints: checkpointFacts(observed),
    stop: steering.tellStop() ?? null,
  }
}

function checkpointFacts({ job, clock }: ObservedJob): JobFacts['checkpoints'] {
  const { failures, snapshots } = job.history
  const checkpoints = snapshots.filter(entry => entry.kind === 'checkpoint')
  const sinceMs = failures.at(-1)?.atMs ?? 0
  const completed = checkpoints.filter(entry => entry.status === 'completed')
  const newest = snapshots.findLast(entry => entry.status === 'completed')
  const failed = checkpoints.findLast(entry => entry.status === 'failed')
  return {
    completed: completed.filter(entry => entry.startedAtMs >= sinceMs).length,
    failuresInRow: failuresInRow(job.history),
    lastFailure: failed?.reason === undefined ? null : shortened(failed.reason),
    ageMs:
      newest === undefined
        ? null
        : Math.max(0, clock.now() - newest.startedAtMs - newest.durationMs),
  }
}

/** One that was given up is neither a failure nor a success. */
function failuresInRow({ snapshots }: JobHistory): number {
  const ended = snapshots.filter(one => one.status === 'completed' || one.status === 'failed')
  const good = ended.findLastIndex(one => one.status === 'completed')
  return ended.slice(good + 1).filter(one => one.kind === 'checkpoint').length
}

function shortened(message: string): string {
  return message.slice(0, FACT_CHARS_MAX)
}
