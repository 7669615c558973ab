/**
 * Holds the states that a job declares against those of a snapshot, before anything starts.
 */
import type { StateDescriptors } from '../../api/state-descriptor.ts'
import type { OperatorSpec } from '../../api/transformation.ts'
import type { CheckpointMetadata, OperatorMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { isWeirError } from '../../common/errors.ts'
import { type JobGraph, operatorsOf } from '../../graph/job-graph.ts'
import { plannedStates } from '../../graph/planned-states.ts'
import {
  chooseWindowPath,
  type WindowPath,
} from '../../runtime/operators/windows/choose-window-operator.ts'
import { checkRestore } from '../../state/check-restore.ts'
import type { StateMeta } from '../../state/keyed-state-backend.ts'
import { stateErrors } from '../../state/state-errors.ts'

/**
 * Throws WEIR_STATE_INCOMPATIBLE or WEIR_STATE_DROPPED for the first state that does not fit. Where
 * its operator stands in `dropState` it is given up instead: such operators are to start empty.
 * Gives them with a sentence each.
 */
export function checkDeclaredStates(
  graph: JobGraph,
  metadata: CheckpointMetadata,
  dropState: readonly string[],
): ReadonlyMap<string, string> {
  const stored = new Map(metadata.operators.map(operator => [operator.operatorId, operator]))
  const planned = new Map(plannedStates(graph).map(one => [one.uid, one.keyed]))
  const dropped = new Map<string, string>()
  for (const operator of operatorsOf(graph)) {
    const { operatorId, uid, name } = operator
    const found = stored.get(operatorId)
    if (found === undefined) continue
    const mayDrop = dropState.includes(operatorId) || dropState.includes(uid ?? operatorId)
    try {
      checkOperator({ ...operator, keyed: planned.get(operatorId) ?? {}, mayDrop }, found)
    } catch (error) {
      if (!mayDrop || !isWeirError(error)) throw error
      dropped.set(
        operatorId,
        `the state of ${name} is given up, as was asked for: ${error.message}`,
      )
    }
  }
  return dropped
}

interface CheckedOperator {
  readonly name: string
  readonly spec: OperatorSpec
  readonly keyed: StateDescriptors
  readonly mayDrop: boolean
}

function checkOperator(operator: CheckedOperator, stored: OperatorMetadata): void {
  const { name, spec, keyed, mayDrop } = operator
  // Only user functions declare all of their states: others may hold some for a while.
  const dropState = mayDrop || !declaresAll(spec) ? true : []
  for (const states of usedStateSets(stored)) {
    checkWindowPath(spec, states, name)
    const [first] = checkRestore(keyed, states, { operatorName: name, dropState }).errors
    if (first !== undefined) throw first
  }
}

function declaresAll({ kind }: OperatorSpec): boolean {
  return (
    kind === 'keyed-process' || kind === 'keyed-co-process' || kind === 'keyed-broadcast-process'
  )
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
