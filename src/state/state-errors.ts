/** The errors of the state room. */
import { defineErrors } from '../common/errors.ts'

interface Incompatible {
  readonly operator: string
  readonly state: string
  /** Where in the stored value: `price`, `items[].id`; empty for the value itself. */
  readonly field: string
  readonly reason: string
  readonly stored: string
  readonly declared: string
}

interface DroppedStates {
  readonly operator: string
  readonly uid: string
  readonly states: readonly string[]
}

interface FormChanged {
  readonly operator: string
  readonly uid: string
  readonly stored: string
  readonly declared: string
}

const giveUp = ({ uid }: FormChanged): string =>
  `restore the old declaration, or name ${uid} in --drop-state or spec.upgrade.dropState: ` +
  'then it begins empty'

export const stateErrors = defineErrors({
  WEIR_STATE_INCOMPATIBLE: {
    domain: 'user',
    retry: 'never',
    message: (e: Incompatible) =>
      `state ${e.state} of operator ${e.operator} cannot be restored` +
      `${e.field === '' ? '' : ` at ${e.field}`}: ${e.reason}` +
      ` (stored: ${e.stored}; declared: ${e.declared})`,
    next:
      "restore the old declaration, or raise the state's version and give it a migrate function, " +
      'or give it up by a new name (of windows and aggregates: by a new uid)',
  },
  WEIR_STATE_DROPPED: {
    domain: 'user',
    retry: 'never',
    message: (e: DroppedStates) =>
      `operator ${e.operator} does not declare what the snapshot holds: ${e.states.join(', ')}`,
    next: (e: DroppedStates) =>
      'declare it again, or give it up: in --drop-state or spec.upgrade.dropState name ' +
      e.states.map(state => `${e.uid}.${state}`).join(', '),
  },
  WEIR_KEY_TYPE_CHANGED: {
    domain: 'user',
    retry: 'never',
    message: (e: FormChanged) =>
      `the state of operator ${e.operator} is kept by keys of type ${e.stored}, ` +
      `and keyBy now gives it keys of type ${e.declared}: no record would find its state`,
    next: giveUp,
  },
  WEIR_WINDOWS_CHANGED: {
    domain: 'user',
    retry: 'never',
    message: (e: FormChanged) =>
      `operator ${e.operator} has open windows of ${e.stored}, and now declares ${e.declared}`,
    next: giveUp,
  },
  WEIR_STATE_REDECLARED: {
    domain: 'user',
    retry: 'never',
    message: (e: { operator: string; state: string; first: string; second: string }) =>
      `state ${e.state} of operator ${e.operator} was opened as ${e.first}, now as ${e.second}`,
    next: 'give the second state a name of its own',
  },
  WEIR_STATE_UNMERGEABLE: {
    domain: 'user',
    retry: 'never',
    message: (e: { operator: string; state: string }) =>
      `the aggregate of state ${e.state} of operator ${e.operator} cannot merge accumulators`,
    next: 'give the AggregateFunction a merge method: merging windows need it',
  },
  WEIR_STATE_UNSERIALIZABLE: {
    domain: 'user',
    retry: 'never',
    message: (e: { operator: string; state: string; reason: string }) =>
      `state ${e.state} of operator ${e.operator} holds what its type cannot write: ${e.reason}`,
    next: 'make the function store what the schema says, or widen the schema',
  },
  WEIR_KEY_OUTSIDE_RANGE: {
    domain: 'internal',
    retry: 'now',
    message: (e: { operator: string; keyGroup: number; start: number; end: number }) =>
      `operator ${e.operator} got a key of group ${e.keyGroup}, owns groups ${e.start} to ${e.end}`,
    next:
      'report it: a partitioner sent a record to the wrong subtask, ' +
      'or a key selector is not stable',
  },
  WEIR_STATE_SNAPSHOT_MALFORMED: {
    domain: 'external',
    retry: 'never',
    message: (e: { operator: string; keyGroup: number; reason: string }) =>
      `the state of operator ${e.operator} in key group ${e.keyGroup} cannot be read: ${e.reason}`,
    next: 'the snapshot is truncated or corrupted; restore an older checkpoint',
  },
})
