import type { BroadcastStateDescriptors, OperatorStateDescriptors } from '../../api/functions.ts'
import type { ListState, MapState } from '../../api/state.ts'
import type { StateDescriptor, StateDescriptors } from '../../api/state-descriptor.ts'
import { generalType } from '../../schema/general-type.ts'
import { typeOf } from '../../schema/type-of.ts'
import type { InternalStateOf, KeyedStateBackend } from '../../state/keyed-state-backend.ts'
import type { OperatorStateBackend } from '../../state/operator-state-backend.ts'

export interface KeyedHandles {
  readonly [name: string]: InternalStateOf<StateDescriptor>
}

/**
 * Opens the declared keyed states: the handles under their names. `prefix` stands before each name
 * in the backend, so that two sets of declared states never meet.
 */
export function openStates(
  backend: KeyedStateBackend,
  declared: StateDescriptors | undefined,
  prefix = '',
): KeyedHandles {
  const handles: Record<string, InternalStateOf<StateDescriptor>> = {}
  for (const [name, descriptor] of Object.entries(declared ?? {})) {
    handles[name] = backend.state(prefix + name, descriptor)
  }
  return handles
}

/** Opens the declared operator states: the handles under their names. */
export function openOperatorStates(
  backend: OperatorStateBackend,
  declared: OperatorStateDescriptors | undefined,
): { readonly [name: string]: ListState<unknown> } {
  const handles: Record<string, ListState<unknown>> = {}
  for (const [name, { redistribution, type }] of Object.entries(declared ?? {})) {
    const itemType = type === undefined ? generalType : typeOf(type)
    handles[name] = backend.listState(name, redistribution, itemType)
  }
  return handles
}

/** Opens the declared broadcast states: the handles under their names. */
export function openBroadcastStates(
  backend: OperatorStateBackend,
  declared: BroadcastStateDescriptors,
): { readonly [name: string]: MapState<unknown, unknown> } {
  const handles: Record<string, MapState<unknown, unknown>> = {}
  for (const [name, { keyType, type }] of Object.entries(declared)) {
    handles[name] = backend.broadcastState(
      name,
      keyType === undefined ? generalType : typeOf(keyType),
      type === undefined ? generalType : typeOf(type),
    )
  }
  return handles
}
