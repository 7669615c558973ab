/** What travels on an edge: records, or each with its coordinates where a receiver needs them. */
import type { Partitioner } from '../../api/transformation.ts'
import type { JobEdge } from '../../graph/job-graph.ts'
import { type Located, locatedType } from '../../schema/located-type.ts'
import type { Type } from '../../schema/type.ts'

export interface Wire {
  readonly type: Type<unknown>
  /** Chooses by what travels. */
  readonly partitioner: Partitioner
}

export function wireOf({ type, partitioner, isLocated = false }: JobEdge): Wire {
  return isLocated
    ? { type: locatedType(type), partitioner: ofLocated(partitioner) }
    : { type, partitioner }
}

function ofLocated(partitioner: Partitioner): Partitioner {
  if (partitioner.kind !== 'key' && partitioner.kind !== 'custom') return partitioner
  const { selector } = partitioner
  return { ...partitioner, selector: located => selector((located as Located<unknown>).value) }
}
