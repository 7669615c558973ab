import type { ForcedAlignment } from './job-graph.ts'
import type { StreamEdge, StreamNode } from './stream-graph.ts'

/**
 * Why no barrier may overtake data on this edge; `undefined` where one may. A pointwise edge has no
 * rule by which its data in flight could be divided at another parallelism; of a broadcast, each
 * receiver would need a copy that agrees with all others; what a sink's writer hands over before a
 * barrier must come before it. The task behind such an edge aligns, and those behind it go on
 * unaligned.
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
