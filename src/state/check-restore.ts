/**
 * Decides, before anything runs, whether stored state can become what is declared now. Pure: the
 * planner calls it with what the snapshot's metadata says, a backend once more when it opens a
 * state.
 */
import type { StateDescriptor, StateDescriptors } from '../api/state-descriptor.ts'
import type { WeirError } from '../common/errors.ts'
import { compareSchemas } from '../schema/compatibility.ts'
import { schemaName } from '../schema/schema-name.ts'
import type { SchemaNode } from '../schema/type.ts'
import type { StateMeta } from './keyed-state-backend.ts'
import { stateErrors } from './state-errors.ts'
import { mapKeyTypeOf, valueTypeOf } from './state-type.ts'

/** `evolved`: the schema changed compatibly; `migrated`: the user's `migrate` turns each value. */
export type StoredVerdict =
  | { readonly kind: 'as-is' | 'evolved' | 'migrated' }
  | { readonly kind: 'incompatible'; readonly error: WeirError }

export interface CheckRestoreOptions {
  readonly operatorName: string
  /** Under which `dropState` knows it; default: the name. */
  readonly uid?: string
  /** Names of states that may be given up, or `true` for any. */
  readonly dropState?: readonly string[] | true
}

export interface RestoreCheck {
  readonly states: readonly {
    readonly name: string
    readonly verdict: StoredVerdict['kind'] | 'new' | 'dropped'
  }[]
  /** Everything that forbids the restore; empty when it may go on. */
  readonly errors: readonly WeirError[]
}

/** Compares what an operator declares with what a snapshot holds for it. */
export function checkRestore(
  declared: StateDescriptors,
  stored: readonly StateMeta[],
  options: CheckRestoreOptions,
): RestoreCheck {
  const { operatorName, uid = operatorName, dropState } = options
  const states: { name: string; verdict: RestoreCheck['states'][number]['verdict'] }[] = []
  const errors: WeirError[] = []
  // Timers are no declared state: an operator without any leaves them behind.
  const keyed = new Map(stored.filter(m => m.kind !== 'timers').map(m => [m.name, m]))
  for (const [name, descriptor] of Object.entries(declared)) {
    const meta = keyed.get(name)
    if (meta === undefined) {
      states.push({ name, verdict: 'new' })
      continue
    }
    const verdict = checkStoredState(descriptor, meta, operatorName)
    states.push({ name, verdict: verdict.kind })
    if (verdict.kind === 'incompatible') errors.push(verdict.error)
  }
  const dropped = [...keyed.keys()].filter(name => !Object.hasOwn(declared, name))
  for (const name of dropped) states.push({ name, verdict: 'dropped' })
  const lost = dropState === true ? [] : dropped.filter(name => !dropState?.includes(name))
  if (lost.length > 0) {
    errors.push(stateErrors.WEIR_STATE_DROPPED({ operator: operatorName, uid, states: lost }))
  }
  return { states, errors }
}

/** The verdict on one state of the same name. */
export function checkStoredState(
  descriptor: StateDescriptor,
  stored: StateMeta,
  operatorName: string,
): StoredVerdict {
  const declared = valueTypeOf(descriptor)
  const storedSchema = stored.schema as SchemaNode
  const refuse = (field: string, reason: string): StoredVerdict => ({
    kind: 'incompatible',
    error: stateErrors.WEIR_STATE_INCOMPATIBLE({
      operator: operatorName,
      state: stored.name,
      field,
      reason,
      stored: `${stored.kind} of ${schemaName(storedSchema)}, version ${stored.version}`,
      declared: `${descriptor.kind} of ${declared.name}, version ${descriptor.version ?? 0}`,
    }),
  })
  if (stored.kind !== descriptor.kind) return refuse('', 'it was another kind of state')
  if (descriptor.kind === 'map') {
    const keyType = mapKeyTypeOf(descriptor)
    const keys = compareSchemas(stored.keySchema as SchemaNode, keyType.schema, { isKey: true })
    if (keys.kind === 'incompatible') return refuse(`map key, ${keys.path}`, keys.reason)
  }
  const version = descriptor.version ?? 0
  if (stored.version > version) return refuse('', 'it was stored by a newer version')
  if (stored.version < version) {
    if (descriptor.migrate !== undefined) return { kind: 'migrated' }
    return refuse('', 'its version was raised without a migrate function')
  }
  const values = compareSchemas(storedSchema, declared.schema)
  if (values.kind === 'incompatible') return refuse(values.path, values.reason)
  return { kind: values.kind === 'as-is' ? 'as-is' : 'evolved' }
}
