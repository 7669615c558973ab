/**
 * The restore plan: which pieces of a checkpoint each subtask gets back, at the same parallelism or
 * another. It works on handles: nobody reads a byte before the plan stands.
 *
 * Owns        the division of keyed state, operator state, splits, writer state and committables.
 * Leaves out  data in flight (`channel-plan.ts`), reading files, and whether the types of states
 *             still fit (`state/`).
 *
 * Invariants
 *  P1  Every stored key group goes to exactly one subtask: the one that owns it.
 *  P2  Every split, writer state, committable and item of a split state goes to exactly one
 *      subtask.
 *  P3  At the same parallelism each subtask gets exactly what it had, and all items of union
 *      states.
 *  P4  No state is left behind unless its operator was named for it.
 */
import { assert } from '../common/assert.ts'
import { keyGroupRange } from '../state/key-groups.ts'
import type { StateMeta } from '../state/keyed-state-backend.ts'
import { redistributeSplit } from '../state/redistribution.ts'
import { type ChannelPlan, type ChannelRequirements, planChannels } from './channel-plan.ts'
import { checkpointErrors } from './checkpoint-errors.ts'
import type { OperatorDescription, OperatorMetadata } from './checkpoint-metadata.ts'
import { divideOperatorState, type OperatorStatePiece } from './operator-state-pieces.ts'
import type {
  CommittableHandle,
  KeyGroupSection,
  StoredJson,
  StoredSplit,
} from './snapshot-handle.ts'

export interface RestoreRequirements extends ChannelRequirements {
  /** The operators of the job as it is now. */
  readonly operators: readonly OperatorDescription[]
}

export interface RestorePlan {
  readonly checkpointId: number
  /** By operator id; operators without an entry start empty. */
  readonly operators: ReadonlyMap<string, OperatorRestorePlan>
  readonly channels: ChannelPlan
}

export interface OperatorRestorePlan {
  readonly enumeratorState: StoredJson | undefined
  /** By new subtask index. */
  readonly subtasks: readonly SubtaskRestore[]
}

/** What one operator subtask gets back. Plain JSON. */
export interface SubtaskRestore {
  readonly keyed: readonly KeyedPiece[]
  readonly operatorState: readonly OperatorStatePiece[]
  readonly splits: readonly StoredSplit[]
  readonly writerState: readonly StoredJson[]
  readonly committables: readonly CommittableHandle[]
}

/** Key groups in one file. */
export interface KeyedPiece {
  readonly file: string
  readonly states: readonly StateMeta[]
  readonly groups: readonly KeyGroupSection[]
}

/** Throws WEIR_RESTORE_STATE_LEFT, WEIR_RESTORE_MAX_PARALLELISM or WEIR_RESTORE_IN_FLIGHT. */
export function planRestore(requirements: RestoreRequirements): RestorePlan {
  const { metadata, operators } = requirements
  refuseLeftState(requirements)
  const stored = new Map(metadata.operators.map(operator => [operator.operatorId, operator]))
  const plans = new Map<string, OperatorRestorePlan>()
  for (const operator of operators) {
    const found = stored.get(operator.operatorId)
    if (found !== undefined) plans.set(operator.operatorId, planOperator(found, operator))
  }
  const channels = planChannels(requirements)
  return { checkpointId: metadata.checkpointId, operators: plans, channels }
}

function refuseLeftState(requirements: RestoreRequirements): void {
  const { metadata, path, operators, dropState } = requirements
  const present = new Set(operators.map(operator => operator.operatorId))
  const left = metadata.operators.filter(
    ({ operatorId, uid }) =>
      !present.has(operatorId) &&
      !dropState.includes(operatorId) &&
      !(uid !== undefined && dropState.includes(uid)),
  )
  const names = left.filter(hasState).map(({ name, uid, operatorId }) => {
    return `${name} (uid ${uid ?? `none, id ${operatorId}`})`
  })
  if (names.length > 0) {
    throw checkpointErrors.WEIR_RESTORE_STATE_LEFT({ path, operators: names })
  }
}

/** Whether anything would be lost with this operator. */
function hasState(operator: OperatorMetadata): boolean {
  return (
    operator.enumeratorState !== undefined ||
    operator.subtasks.some(
      subtask =>
        (subtask.keyed?.groups.length ?? 0) > 0 ||
        subtask.operatorState.some(state => state.itemLengths.length > 0) ||
        (subtask.splits?.length ?? 0) > 0 ||
        (subtask.writerState?.length ?? 0) > 0 ||
        (subtask.committables?.length ?? 0) > 0,
    )
  )
}

function planOperator(stored: OperatorMetadata, wanted: OperatorDescription): OperatorRestorePlan {
  const isKeyed = stored.subtasks.some(subtask => subtask.keyed !== undefined)
  if (isKeyed && stored.maxParallelism !== wanted.maxParallelism) {
    throw checkpointErrors.WEIR_RESTORE_MAX_PARALLELISM({
      operator: wanted.name,
      stored: stored.maxParallelism,
      wanted: wanted.maxParallelism,
    })
  }
  const { parallelism } = wanted
  const operatorState = divideOperatorState(stored.subtasks, parallelism)
  const splits = redistributeSplit(
    stored.subtasks.map(subtask => subtask.splits ?? []),
    parallelism,
  )
  const writerState = redistributeSplit(
    stored.subtasks.map(subtask => subtask.writerState ?? []),
    parallelism,
  )
  const subtasks = Array.from({ length: parallelism }, (_, index): SubtaskRestore => {
    return {
      keyed: isKeyed ? keyedPieces(stored, wanted, index) : [],
      operatorState: operatorState[index] ?? [],
      splits: splits[index] ?? [],
      writerState: writerState[index] ?? [],
      // Committables carry all they need: any subtask can commit them.
      committables: stored.subtasks
        .filter(subtask => subtask.subtaskIndex % parallelism === index)
        .flatMap(subtask => subtask.committables ?? []),
    }
  })
  assertEveryGroupOnce(stored, subtasks)
  return { enumeratorState: stored.enumeratorState, subtasks }
}

function keyedPieces(
  stored: OperatorMetadata,
  wanted: OperatorDescription,
  index: number,
): readonly KeyedPiece[] {
  const { start, end } = keyGroupRange(index, wanted.maxParallelism, wanted.parallelism)
  return stored.subtasks.flatMap(({ keyed, privateState }): readonly KeyedPiece[] => {
    if (keyed === undefined) return []
    const states = stored.stateSets[keyed.stateSet]
    assert(states !== undefined, 'P1: the states of key groups are described')
    const groups = keyed.groups.filter(({ keyGroup }) => keyGroup >= start && keyGroup <= end)
    // The states are given even without groups: what was declared is checked against them.
    if (groups.length === 0) return [{ file: privateState?.file ?? '', states, groups }]
    assert(privateState !== undefined, 'P1: stored key groups have a file')
    return [{ file: privateState.file, states, groups }]
  })
}

function assertEveryGroupOnce(stored: OperatorMetadata, subtasks: readonly SubtaskRestore[]): void {
  const before = stored.subtasks.reduce((sum, part) => sum + (part.keyed?.groups.length ?? 0), 0)
  const given = subtasks.flatMap(part => part.keyed.flatMap(piece => piece.groups))
  assert(given.length === before, 'P1: no key group is lost or doubled')
}
