/**
 * A running job as the resources of the REST API show it: plain JSON. Times end in `Ms`; what is
 * not known is null.
 */
import type { SnapshotEntry } from '../job-history.ts'
import type { ObservedJob } from './observed-job.ts'
import { type PressureLevel, pressureLevel } from './pressure-level.ts'
import { redact, redactUrl } from './redact.ts'

export type OverviewView = ReturnType<typeof overviewView>
export type JobView = ReturnType<typeof jobView>
export type SnapshotView = ReturnType<typeof snapshotView>
export type CheckpointsView = ReturnType<typeof checkpointsView>
export type ExceptionsView = ReturnType<typeof exceptionsView>

/** `none`: before the first; `end`: no further record can come. */
export interface WatermarkView {
  readonly phase: 'none' | 'running' | 'end'
  readonly timestampMs: number | null
}

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

export function jobView(observed: ObservedJob) {
  const { job, jobId } = observed
  const progress = job.progress()
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
    vertices: vertexViews(observed),
  }
}

/** Without secrets: see `redact.ts`. */
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

export function checkpointsView({ job }: ObservedJob) {
  const { checkpointsCompleted, checkpointsFailed } = job.progress()
  const history = job.history.snapshots.map(entry => {
    const { parts: _parts, proof: _proof, ...summary } = snapshotView(entry)
    return summary
  })
  return { completed: checkpointsCompleted, failed: checkpointsFailed, history: history.reverse() }
}

export function snapshotView(entry: SnapshotEntry) {
  const { id, kind, status, startedAtMs, durationMs, sizeBytes, path, reason } = entry
  return {
    id,
    kind,
    status,
    startedAtMs,
    durationMs,
    sizeBytes: sizeBytes ?? null,
    path: path ?? null,
    reason: reason ?? null,
    parts: entry.parts,
    proof: entry.proof ?? null,
  }
}

export function exceptionsView({ job }: ObservedJob) {
  const failures = job.history.failures.map(failure => {
    const { atMs, code, domain, message, next, stack, retryInMs } = failure
    return {
      atMs,
      code: code ?? null,
      domain,
      message,
      next: next ?? null,
      stack: stack ?? null,
      retryInMs: retryInMs ?? null,
    }
  })
  return { restarts: job.progress().restarts, failures: failures.reverse() }
}

export function backpressureView(observed: ObservedJob) {
  return {
    vertices: vertexViews(observed).map(vertex => {
      const { id, name, level, busyMs, idleMs, backpressuredMs } = vertex
      return { id, name, level, busyMs, idleMs, backpressuredMs }
    }),
  }
}

export function watermarksView({ job, graph }: ObservedJob) {
  const { vertices, watermark } = job.progress()
  const tasks = Map.groupBy(job.tasks(), task => task.vertexId)
  return {
    job: watermarkView(watermark),
    vertices: graph.vertices.map(({ id, name }, index) => ({
      id,
      name,
      ...watermarkView(vertices[index]?.watermark ?? Number.NEGATIVE_INFINITY),
      subtasks: (tasks.get(id) ?? [])
        .toSorted((a, b) => a.subtaskIndex - b.subtaskIndex)
        .map(task => ({ index: task.subtaskIndex, ...watermarkView(task.watermark) })),
    })),
  }
}

function vertexViews({ job, graph }: ObservedJob) {
  return job.progress().vertices.map((vertex, index) => {
    const level: PressureLevel = pressureLevel(vertex.backpressuredMs)
    const id = graph.vertices[index]?.id ?? ''
    return { id, ...vertex, level, watermark: watermarkView(vertex.watermark) }
  })
}

function watermarkView(timestamp: number): WatermarkView {
  if (timestamp === Number.NEGATIVE_INFINITY) return { phase: 'none', timestampMs: null }
  if (timestamp === Number.POSITIVE_INFINITY) return { phase: 'end', timestampMs: null }
  return { phase: 'running', timestampMs: timestamp }
}
