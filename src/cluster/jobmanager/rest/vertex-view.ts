/** One vertex of a running job as the resources of the REST API show it. Times end in `Ms`. */
import type { JobVertex } from '../../../graph/job-graph.ts'
import type { SubtaskProgress, VertexProgress } from '../../job-progress.ts'
import type { ObservedJob } from './observed-job.ts'
import { type PressureLevel, pressureLevel } from './pressure-level.ts'
import { restErrors } from './rest-errors.ts'
import { watermarkView } from './watermark-view.ts'

export interface ObservedVertex {
  readonly vertex: JobVertex
  readonly progress: VertexProgress
}

/** In the graph's order. */
export function vertices({ job, graph }: ObservedJob): readonly ObservedVertex[] {
  const { vertices: figures } = job.progress()
  return graph.vertices.flatMap((vertex, index) => {
    const progress = figures[index]
    return progress === undefined ? [] : [{ vertex, progress }]
  })
}

/** Throws WEIR_REST_VERTEX_UNKNOWN. */
export function vertexOf(observed: ObservedJob, id: string): ObservedVertex {
  const found = vertices(observed).find(({ vertex }) => vertex.id === id)
  if (found !== undefined) return found
  const known = observed.graph.vertices.map(vertex => vertex.id)
  throw restErrors.WEIR_REST_VERTEX_UNKNOWN({ id, known })
}

export function vertexView(found: ObservedVertex) {
  const { vertex, progress } = found
  const { parallelism, recordsIn, recordsOut, busyMs, idleMs, backpressuredMs } = progress
  return {
    id: vertex.id,
    name: vertex.name,
    parallelism,
    maxParallelism: vertex.maxParallelism,
    operators: vertex.chain.map(({ operatorId, uid, name, spec }) => {
      return { id: operatorId, uid: uid ?? null, name, kind: spec.kind }
    }),
    recordsIn,
    recordsOut,
    busyMs,
    idleMs,
    backpressuredMs,
    level: vertexBackpressureView(found).level,
    watermark: watermarkView(progress.watermark),
    lag: progress.lag ?? null,
    subtasks: vertexSubtasksView(found).subtasks,
  }
}

/** With the skew: how uneven the records are, 0 for even. */
export function vertexSubtasksView({ vertex, progress }: ObservedVertex) {
  const { subtasks } = progress
  return {
    id: vertex.id,
    name: vertex.name,
    skew: variation(subtasks.map(({ recordsIn, recordsOut }) => recordsIn || recordsOut)),
    subtasks: subtasks.map(subtask => {
      const { watermark, backpressuredMs, lag = null } = subtask
      const level = levelOf(backpressuredMs)
      return { ...subtask, level, watermark: watermarkView(watermark), lag }
    }),
  }
}

/** The level is that of the subtask that is held up most: a mean would hide it. */
export function vertexBackpressureView({ vertex, progress }: ObservedVertex) {
  const { busyMs, idleMs, backpressuredMs, subtasks } = progress
  const highest = Math.max(backpressuredMs, ...subtasks.map(one => one.backpressuredMs))
  return {
    id: vertex.id,
    name: vertex.name,
    level: levelOf(highest),
    busyMs,
    idleMs,
    backpressuredMs,
    subtasks: subtasks.map(pressureOf),
  }
}

export function vertexWatermarksView({ vertex, progress }: ObservedVertex) {
  return {
    id: vertex.id,
    name: vertex.name,
    ...watermarkView(progress.watermark),
    subtasks: progress.subtasks.map(({ index, watermark }) => {
      return { index, ...watermarkView(watermark) }
    }),
  }
}

function pressureOf({ index, busyMs, idleMs, backpressuredMs }: SubtaskProgress) {
  return { index, level: levelOf(backpressuredMs), busyMs, idleMs, backpressuredMs }
}

function levelOf(backpressuredMs: number): PressureLevel {
  return pressureLevel(backpressuredMs)
}

/** The coefficient of variation: deviation by mean. */
function variation(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / Math.max(1, counts.length)
  if (mean === 0) return 0
  const squares = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0)
  return Math.sqrt(squares / counts.length) / mean
}
