/**
 * The port of operator state: lists (split or union) and broadcast maps of one operator subtask. It
 * is small by nature and kept on the heap by every backend.
 */
import type { ListState, MapState } from '../api/state.ts'
import type { Type } from '../schema/type.ts'

export type Redistribution = 'split' | 'union' | 'broadcast'

/** One named operator state in a snapshot; items are encoded with the state's type. */
export interface OperatorStateSnapshot {
  readonly name: string
  readonly redistribution: Redistribution
  readonly schema: unknown
  readonly keySchema?: unknown
  /** Encoded items: of a list, or `key value` pairs of a broadcast map. */
  readonly items: readonly Buffer[]
}

export interface OperatorStateBackend {
  listState<T>(name: string, redistribution: 'split' | 'union', type: Type<T>): ListState<T>
  broadcastState<K, V>(name: string, keyType: Type<K>, valueType: Type<V>): MapState<K, V>
  /** Synchronous: operator state is small. */
  snapshot(): readonly OperatorStateSnapshot[]
  /** What this subtask gets after redistribution. Before any state is opened. */
  restore(states: readonly OperatorStateSnapshot[]): void
}
