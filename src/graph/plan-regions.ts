import { buildExecutionPlan } from './execution-plan.ts'
import { failoverRegions } from './failover-regions.ts'
import type { JobGraph } from './job-graph.ts'

/** Regions of subtasks of the same vertices. */
export interface PlanRegions {
  /** Ids of vertices. */
  readonly vertices: readonly string[]
  /** The slots of each of them, ascending. */
  readonly slots: readonly (readonly number[])[]
}

/** The failover regions of a job, put together by their vertices. */
export function planRegions(graph: JobGraph): readonly PlanRegions[] {
  const regions = failoverRegions(buildExecutionPlan(graph)).map(({ subtasks, slots }) => ({
    vertices: [...new Set(subtasks.map(subtask => subtask.vertex.id))],
    slots,
  }))
  const alike = Map.groupBy(regions, ({ vertices }) => vertices.join(' '))
  return [...alike.values()].map(group => ({
    vertices: group[0]?.vertices ?? [],
    slots: group.map(({ slots }) => slots),
  }))
}
