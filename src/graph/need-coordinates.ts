import type { StreamNode } from './stream-graph.ts'

/** What these give is made of many records: none of them is where it came from. */
const gathers: ReadonlySet<string> = new Set(['window', 'window-join', 'window-co-group'])

/**
 * Operators whose input edges carry the coordinates of each record: those that write dead letters,
 * and those that their records pass on the way from a source. For all others that would be a cost
 * without a use. `nodes` in topological order.
 */
export function needCoordinates(nodes: readonly StreamNode[]): ReadonlySet<StreamNode> {
  const needs = new Set<StreamNode>()
  /** Somebody behind them needs coordinates. */
  const asked = new Set<StreamNode>()
  for (const node of nodes.toReversed()) {
    const { errorPolicy, operator } = node.transformation
    const relays = asked.has(node) && !gathers.has(operator.kind)
    if (errorPolicy.kind !== 'dead-letter' && !relays) continue
    needs.add(node)
    for (const { from } of node.inputs) asked.add(from)
  }
  return needs
}
