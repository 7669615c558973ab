import type { JobProgress, VertexProgress } from '../../cluster/job-progress.ts'

/** What jobmanagers that are gone had counted, and what the running one has, as one. */
export function addProgress(before: JobProgress | undefined, now: JobProgress): JobProgress {
  if (before === undefined) return now
  return {
    ...now,
    recordsIn: before.recordsIn + now.recordsIn,
    recordsOut: before.recordsOut + now.recordsOut,
    recordsRejected: before.recordsRejected + now.recordsRejected,
    checkpointsCompleted: before.checkpointsCompleted + now.checkpointsCompleted,
    checkpointsFailed: before.checkpointsFailed + now.checkpointsFailed,
    lastCheckpoint: now.lastCheckpoint ?? before.lastCheckpoint,
    restarts: before.restarts + now.restarts,
    lastFailure: now.lastFailure ?? before.lastFailure,
    vertices: now.vertices.map((vertex, index) => addVertex(before.vertices[index], vertex)),
  }
}

function addVertex(before: VertexProgress | undefined, now: VertexProgress): VertexProgress {
  if (before === undefined) return now
  return {
    ...now,
    recordsIn: before.recordsIn + now.recordsIn,
    recordsOut: before.recordsOut + now.recordsOut,
  }
}
