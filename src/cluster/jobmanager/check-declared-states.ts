/**
 * Holds the states that a job declares against those of a snapshot, before anything starts.
 */
import type { StateDescriptors } from '../../api/state-descriptor.ts'
import type { OperatorSpec } from '../../api/transformation.ts'
import type { CheckpointMetadata, OperatorMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { type JobGraph, operatorsOf } from '../../graph/job-graph.ts'
import {
  chooseWindowPath,
  type WindowPath,
} from '../../runtime/operators/windows/choose-window-operator.ts'
import { checkRestore } from '../../state/check-restore.ts'
import type { StateMeta } from '../../state/keyed-state-backend.ts'
import { stateErrors } from '../../state/state-errors.ts'

/** Throws WEIR_STATE_INCOMPATIBLE or WEIR_STATE_DROPPED for the first state that does not fit. */
export function checkDeclaredStates(graph: JobGraph, metadata: CheckpointMetadata): void {
  const stored = new Map(metadata.operators.map(operator => [operator.operatorId, operator]))
  for (const { operatorId, name, spec } of operatorsOf(graph)) {
    const declared = declaredStates(spec)
    const found = stored.get(operatorId)
    if (found === undefined) continue
    for (const states of usedStateSets(found)) {
      checkWindowPath(spec, states, name)
      if (declared === undefined) continue
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

const keptAs: Readonly<Record<WindowPath, string>> = {
  panes: 'accumulators by pane',
  sessions: 'sessions by key',
  general: 'contents by window',
}

/**
 * The same windows are kept in one of three forms, and a trigger, an evictor or a lost `merge` may
 * change which. Open windows of another form would silently be lost.
 */
function checkWindowPath(spec: OperatorSpec, states: readonly StateMeta[], operator: string): void {
  if (spec.kind !== 'window' && spec.kind !== 'window-join' && spec.kind !== 'window-co-group') {
    return
  }
  const stored = storedPath(new Set(states.map(state => state.name)))
  const declared = chooseWindowPath(spec)
  if (stored === undefined || stored === declared) return
  throw stateErrors.WEIR_STATE_INCOMPATIBLE({
    operator,
    state: 'windows',
    field: '',
    reason: 'the assigner, trigger, evictor or aggregate changed how windows are kept',
    stored: keptAs[stored],
    declared: keptAs[declared],
  })
}

function storedPath(names: ReadonlySet<string>): WindowPath | undefined {
  if (names.has('$panes')) return 'panes'
  if (names.has('$contents')) return 'general'
  return names.has('$sessions') ? 'sessions' : undefined
}

/** A state that holds nothing can be changed freely. */
function usedStateSets({ stateSets, subtasks }: OperatorMetadata): typeof stateSets {
  return stateSets.filter((_, index) =>
    subtasks.some(({ keyed }) => keyed?.stateSet === index && keyed.groups.length > 0),
  )
}
