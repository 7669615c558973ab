import { headOf, type JobGraph } from '../graph/job-graph.ts'

/**
 * The alignment groups that have sources in several slots, with those slots. Sources of one slot
 * see each other without a message.
 */
export function alignedSlots({ vertices }: JobGraph): ReadonlyMap<string, ReadonlySet<number>> {
  const slots = new Map<string, Set<number>>()
  for (const vertex of vertices) {
    const { spec } = headOf(vertex)
    const alignment = spec.kind === 'source' ? spec.watermarks.alignment : undefined
    if (alignment === undefined) continue
    const known = slots.get(alignment.group) ?? new Set()
    for (let slot = 0; slot < vertex.parallelism; slot++) known.add(slot)
    slots.set(alignment.group, known)
  }
  return new Map([...slots].filter(([, members]) => members.size > 1))
}
