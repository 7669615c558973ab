import type { Partitioner } from '../../../src/api/transformation.ts'
import type { JobEdge } from '../../../src/graph/job-graph.ts'
import { generalType } from '../../../src/schema/general-type.ts'

/** An edge from `a` to `b`. */
export function edgeOf(partitioner: Partitioner): JobEdge {
  return {
    id: 'a->b/0',
    from: { vertexId: 'a', operatorId: 'a' },
    sideOutput: undefined,
    to: { vertexId: 'b', operatorId: 'b' },
    input: 0,
    partitioner,
    type: generalType,
    forcedAlignment: undefined,
  }
}
