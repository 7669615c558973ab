/**
 * Failover regions: what restarts together when a subtask fails. Subtasks that exchange records are
 * in one region, whichever way the records go: its receivers have taken what a failed subtask would
 * send again, and its senders no longer have what it would need. Between two regions no record
 * passes, so each may go back to a completed checkpoint without the others.
 *
 * Forward edges give a region a slice, rescale edges one a bundle of slices; any other edge joins
 * all subtasks of its two vertices.
 *
 * Invariants
 *  FR1  Every subtask is in exactly one region.
 *  FR2  No channel leads from one region to another.
 */
import type { ExecutionPlan, Subtask } from './execution-plan.ts'

export interface FailoverRegion {
  /** Its place among the regions of the job. */
  readonly index: number
  /** In the order of the plan. */
  readonly subtasks: readonly Subtask[]
  /** Those that run a subtask of it, ascending. */
  readonly slots: readonly number[]
}

/** In the order of their first subtasks. */
export function failoverRegions({ subtasks }: ExecutionPlan): readonly FailoverRegion[] {
  const joined = new Joined(subtasks)
  for (const { id, outputs } of subtasks) {
    for (const { edge, to } of outputs) {
      for (const receiver of to) joined.join(id, `${edge.to.vertexId}/${receiver}`)
    }
  }
  const members = Map.groupBy(subtasks, ({ id }) => joined.rootOf(id))
  return [...members.values()].map((found, index) => ({
    index,
    subtasks: found,
    slots: [...new Set(found.map(subtask => subtask.index))].sort((a, b) => a - b),
  }))
}

/** Disjoint sets of subtasks, each named by one of its members. */
class Joined {
  readonly #parents: Map<string, string>

  constructor(subtasks: readonly Subtask[]) {
    this.#parents = new Map(subtasks.map(({ id }) => [id, id]))
  }

  rootOf(id: string): string {
    let root = id
    for (let up = this.#up(root); up !== root; up = this.#up(root)) root = up
    // Later questions have a short way.
    for (let at = id; at !== root; ) {
      const next = this.#up(at)
      this.#parents.set(at, root)
      at = next
    }
    return root
  }

  join(one: string, other: string): void {
    this.#parents.set(this.rootOf(other), this.rootOf(one))
  }

  #up(id: string): string {
    return this.#parents.get(id) ?? id
  }
}
