/**
 * A running job as the resources of the REST API show it: plain JSON. Times end in `Ms`; what is
 * not known is null.
 */

import { redact, redactUrl } from '../../../common/redact.ts'
import type { ObservedJob } from './observed-job.ts'
import { vertexBackpressureView, vertexWatermarksView, vertices } from './vertex-view.ts'
import { watermarkView } from './watermark-view.ts'

export type OverviewView = ReturnType<typeof overviewView>
export type JobView = ReturnType<typeof jobView>
export type ExceptionsView = ReturnType<typeof exceptionsView>

export function overviewView(observed: ObservedJob) {
  const { job, jobId, graph, version } = observed
  const { name, status, elapsedMs, recordsIn, recordsOut, restarts } = job.progress()
  return {
    jobId,
    name,
    status,
    elapsedMs,
    parallelism: graph.parallelism,
    vertices: graph.vertices.length,
    recordsIn,
    recordsOut,
    restarts,
    version,
  }
}

/** A jobmanager runs one job. */
export function jobsView(observed: ObservedJob) {
  const { jobId, name, status, elapsedMs, parallelism } = overviewView(observed)
  return { jobs: [{ jobId, name, status, elapsedMs, parallelism }] }
}

export function jobView(observed: ObservedJob) {
  const { job, jobId } = observed
  const progress = job.progress()
  const levels = vertexViews(observed)
  const { vertices: _, watermark, lastCheckpoint, lastFailure, stateSizeBytes, ...rest } = progress
  return {
    jobId,
    ...rest,
    stateSizeBytes: stateSizeBytes ?? null,
    watermark: watermarkView(watermark),
    lastCheckpoint: lastCheckpoint ?? null,
    lastCheckpointFailure: progress.lastCheckpointFailure ?? null,
    lastFailure: lastFailure ?? null,
    waiting: progress.waiting ?? null,
    rescalingTo: progress.rescalingTo ?? null,
    vertices: vertices(observed).map(
      ({ vertex, progress: { subtasks: _subtasks, ...shown } }, index) => ({
        id: vertex.id,
        ...shown,
        level: levels[index]?.level ?? 'OK',
        watermark: watermarkView(shown.watermark),
      }),
    ),
  }
}

/** Without secrets: see `common/redact.ts`. */
export function configView({ jobId, graph, settings, args, store, version }: ObservedJob) {
  const { checkpoint, restart, stateBackend } = settings
  return {
    version,
    jobId,
    name: graph.name,
    parallelism: graph.parallelism,
    maxParallelism: graph.maxParallelism,
    args: redact(args),
    checkpoint: { ...checkpoint, intervalMs: checkpoint.intervalMs ?? null },
    checkpointStorage: redactUrl(store.location),
    restart: { ...restart, attempts: restart.attempts ?? null },
    stateBackend: { type: stateBackend.type, options: redact(stateBackend.options) },
  }
}

export function exceptionsView({ job }: ObservedJob) {
  const failures = job.history.failures.map(failure => {
    const { atMs, code, domain, message, next, stack, retryInMs, scope } = failure
    return {
      atMs,
      code: code ?? null,
      domain,
      message,
      next: next ?? null,
      stack: stack ?? null,
      retryInMs: retryInMs ?? null,
      scope: scope ?? null,
    }
  })
  return { restarts: job.progress().restarts, failures: failures.reverse() }
}

export function backpressureView(observed: ObservedJob) {
  return {
    vertices: vertexViews(observed).map(({ subtasks: _subtasks, ...view }) => view),
  }
}

export function watermarksView(observed: ObservedJob) {
  const { job } = observed
  return {
    job: watermarkView(job.progress().watermark),
    vertices: vertices(observed).map(vertexWatermarksView),
  }
}

function vertexViews(observed: ObservedJob) {
  return vertices(observed).map(vertexBackpressureView)
}
