import type { ForcedAlignment } from './job-graph.ts'
import type { StreamEdge, StreamNode } from './stream-graph.ts'

/**
 * Why no barrier may overtake data on this edge; `undefined` where one may. On a pointwise edge it
 * would overtake the work of one subtask only, and of a broadcast every receiver would store a
 * copy; what a sink's writer hands over before a barrier must come before it. The barrier keeps its
 * order there; a task that has begun unaligned on another channel records the data before it.
 */
export function forcedAlignment(
  { from, partitioner }: StreamEdge,
  sinks: ReadonlySet<StreamNode>,
): ForcedAlignment | undefined {
  if (sinks.has(from)) return 'behind a sink'
  const { kind } = partitioner
  return kind === 'forward' || kind === 'rescale' || kind === 'broadcast' ? kind : undefined
}

/** Sink writers, and all that they feed. `nodes` in topological order. */
export function sinksAndBehind(nodes: readonly StreamNode[]): ReadonlySet<StreamNode> {
  const found = new Set<StreamNode>()
  for (const node of nodes) {
    const isSink = node.transformation.operator.kind === 'sink'
    if (isSink || node.inputs.some(({ from }) => found.has(from))) found.add(node)
  }
  return found
}
