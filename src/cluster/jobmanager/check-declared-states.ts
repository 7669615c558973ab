/**
 * Holds what a job declares of its state against a snapshot, before anything starts: the states of
 * every operator, and what they hang on (`graph/operator-form.ts`).
 */
import { type StateDescriptor, valueState } from '../../api/state-descriptor.ts'
import type { OperatorSpec } from '../../api/transformation.ts'
import type { CheckpointMetadata, OperatorMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { isWeirError, type WeirError } from '../../common/errors.ts'
import { type ChainedOperator, type JobGraph, operatorsOf } from '../../graph/job-graph.ts'
import { operatorForm } from '../../graph/operator-form.ts'
import { keyedStatesOf } from '../../graph/planned-states.ts'
import {
  chooseWindowPath,
  type WindowPath,
} from '../../runtime/operators/windows/choose-window-operator.ts'
import { sessionListType } from '../../runtime/operators/windows/session-list.ts'
import { checkRestore, checkStoredState } from '../../state/check-restore.ts'
import type { StateMeta } from '../../state/keyed-state-backend.ts'
import { stateErrors } from '../../state/state-errors.ts'
import { valueTypeOf } from '../../state/state-type.ts'

export interface DeclaredStates {
  readonly graph: JobGraph
  readonly metadata: CheckpointMetadata
  /** What may be given up: operators (uid or id), or states as `uid.state`. */
  readonly dropState: readonly string[]
}

/**
 * Throws WEIR_KEY_TYPE_CHANGED, WEIR_WINDOWS_CHANGED, WEIR_STATE_INCOMPATIBLE or
 * WEIR_STATE_DROPPED for the first thing that does not fit. Where its operator stands in
 * `dropState` all of its state is given up instead: such operators are to start empty. Gives them
 * with a sentence each.
 */
export function checkDeclaredStates(declared: DeclaredStates): ReadonlyMap<string, string> {
  const { errors, dropped } = findStateErrors(declared)
  const [first] = errors
  if (first !== undefined) throw first
  return dropped
}

export interface StateFindings {
  /** All that does not fit, in the order of the graph. */
  readonly errors: readonly WeirError[]
  readonly dropped: ReadonlyMap<string, string>
}

/** Likewise, but all of it: for people who are to mend it. */
export function findStateErrors(declared: DeclaredStates): StateFindings {
  const { graph, metadata, dropState } = declared
  const stored = new Map(metadata.operators.map(operator => [operator.operatorId, operator]))
  const dropped = new Map<string, string>()
  const errors: WeirError[] = []
  for (const operator of operatorsOf(graph)) {
    const { operatorId, uid, name } = operator
    const found = stored.get(operatorId)
    if (found === undefined) continue
    const mayDrop = dropState.includes(operatorId) || dropState.includes(uid ?? operatorId)
    try {
      checkOperator(operator, found, mayDrop ? true : dropState)
    } catch (error) {
      if (!isWeirError(error)) throw error
      if (!mayDrop) {
        errors.push(error)
        continue
      }
      const text = `the state of ${name} is given up, as was asked for: ${error.message}`
      dropped.set(operatorId, text)
    }
  }
  return { errors, dropped }
}

function checkOperator(
  operator: ChainedOperator,
  found: OperatorMetadata,
  dropState: readonly string[] | true,
): void {
  const sets = usedStateSets(found)
  if (sets.length > 0) checkForm(operator, found)
  for (const states of sets) {
    checkWindowPath(operator, states)
    if (declaresAll(operator.spec)) checkOwnStates(operator, states, dropState)
    else checkKeptStates(operator, states)
  }
}

/** What an older Weir did not write down is not compared. */
function checkForm(operator: ChainedOperator, { form = {} }: OperatorMetadata): void {
  const declared = operatorForm(operator)
  const about = { operator: labelOf(operator), uid: operator.operatorId }
  if (declared.keys !== undefined && form.keys !== undefined && declared.keys !== form.keys) {
    const change = { ...about, stored: form.keys, declared: declared.keys }
    throw stateErrors.WEIR_KEY_TYPE_CHANGED(change)
  }
  const { windows } = declared
  if (windows !== undefined && form.windows !== undefined && windows !== form.windows) {
    throw stateErrors.WEIR_WINDOWS_CHANGED({ ...about, stored: form.windows, declared: windows })
  }
}

/** By its uid where that says more than the name. */
function labelOf({ name, uid }: ChainedOperator): string {
  return uid === undefined || uid === name ? name : `${name} (uid ${uid})`
}

/** The states of a user function: what it no longer declares would be lost. */
function checkOwnStates(
  operator: ChainedOperator,
  states: readonly StateMeta[],
  dropState: readonly string[] | true,
): void {
  const prefix = `${operator.operatorId}.`
  const { errors } = checkRestore(keyedStatesOf(operator), states, {
    operatorName: labelOf(operator),
    uid: operator.operatorId,
    dropState:
      dropState === true
        ? true
        : dropState.flatMap(one => (one.startsWith(prefix) ? one.slice(prefix.length) : [])),
  })
  const [first] = errors
  if (first !== undefined) throw first
}

/** States that operators keep by themselves: bookkeeping may come and go, contents must fit. */
function checkKeptStates(operator: ChainedOperator, states: readonly StateMeta[]): void {
  const declared = keyedStatesOf(operator)
  for (const meta of states) {
    const descriptor = keptAs(meta.name, operator, declared)
    if (descriptor === undefined) continue
    const verdict = checkStoredState(descriptor, meta, labelOf(operator))
    if (verdict.kind === 'incompatible') throw verdict.error
  }
}

/** The same contents go by other names where windows are kept in another form. */
function keptAs(
  name: string,
  { spec }: ChainedOperator,
  declared: Readonly<Record<string, StateDescriptor>>,
): StateDescriptor | undefined {
  const contents = declared.$contents
  if (spec.kind === 'window' && contents !== undefined) {
    if (name === '$panes' || name === '$reopened') return contents
    if (name === '$sessions' && chooseWindowPath(spec) === 'sessions') {
      return valueState(sessionListType(valueTypeOf(contents)))
    }
  }
  // The two sides of a join.
  return declared[name.replace(/^\$(?:panes|reopened)-/, '$')]
}

/** Only user functions declare all of their states. */
function declaresAll({ kind }: OperatorSpec): boolean {
  return (
    kind === 'keyed-process' || kind === 'keyed-co-process' || kind === 'keyed-broadcast-process'
  )
}

const keptForms: Readonly<Record<WindowPath, string>> = {
  panes: 'accumulators by pane',
  sessions: 'sessions by key',
  general: 'contents by window',
}

/**
 * The same windows are kept in one of three forms, and an evictor or a lost `merge` may change
 * which. Open windows of another form would silently be lost.
 */
function checkWindowPath(operator: ChainedOperator, states: readonly StateMeta[]): void {
  const { spec, operatorId: uid } = operator
  if (spec.kind !== 'window' && spec.kind !== 'window-join' && spec.kind !== 'window-co-group') {
    return
  }
  const stored = storedPath(new Set(states.map(state => state.name)))
  const declared = chooseWindowPath(spec)
  if (stored === undefined || stored === declared) return
  throw stateErrors.WEIR_WINDOWS_CHANGED({
    operator: labelOf(operator),
    uid,
    stored: `another kind, kept as ${keptForms[stored]}`,
    declared: `windows kept as ${keptForms[declared]} (by their trigger, evictor and aggregate)`,
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
