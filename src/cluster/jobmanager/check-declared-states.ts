/**
 * Holds the states that a job declares against those of a snapshot, before anything starts.
 */
import type { StateDescriptors } from '../../api/state-descriptor.ts'
import type { OperatorSpec } from '../../api/transformation.ts'
import type { CheckpointMetadata, OperatorMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { type JobGraph, operatorsOf } from '../../graph/job-graph.ts'
import { checkRestore } from '../../state/check-restore.ts'

/** Throws WEIR_STATE_INCOMPATIBLE or WEIR_STATE_DROPPED for the first state that does not fit. */
export function checkDeclaredStates(graph: JobGraph, metadata: CheckpointMetadata): void {
  const stored = new Map(metadata.operators.map(operator => [operator.operatorId, operator]))
  for (const { operatorId, name, spec } of operatorsOf(graph)) {
    const declared = declaredStates(spec)
    const found = stored.get(operatorId)
    if (declared === undefined || found === undefined) continue
    for (const states of usedStateSets(found)) {
      const { errors } = checkRestore(declared, states, { operatorName: name })
      const first = errors[0]
      if (first !== undefined) throw first
    }
  }
}

/** Only user functions declare all of their states; other operators check theirs when they open. */
function declaredStates(spec: OperatorSpec): StateDescriptors | undefined {
  switch (spec.kind) {
    case 'keyed-process':
    case 'keyed-co-process':
    case 'keyed-broadcast-process':
      return spec.fn.state ?? {}
    default:
      return undefined
  }
}

/** A state that holds nothing can be changed freely. */
function usedStateSets({ stateSets, subtasks }: OperatorMetadata): typeof stateSets {
  return stateSets.filter((_, index) =>
    subtasks.some(({ keyed }) => keyed?.stateSet === index && keyed.groups.length > 0),
  )
}
