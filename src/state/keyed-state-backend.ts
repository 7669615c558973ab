/**
 * The port of keyed state: what runtime operators use, and what each backend (heap, RocksDB)
 * implements. Nothing here shows how a backend keeps its data.
 *
 * State is addressed by (state name, key, namespace). A namespace is a number: 0 where there is
 * none, else a window's start or a pane's; timers have the same.
 *
 * Invariants
 *  K1  A handle works on the current key and its own namespace; both are set before each use.
 *  K2  A key outside the backend's key-group range is refused.
 *  K3  A snapshot shows the state at the moment it was begun, whatever is written while it runs.
 */
import type { Key } from '../api/functions.ts'
import type {
  AggregatingState,
  ListState,
  MapState,
  ReducingState,
  ValueState,
} from '../api/state.ts'
import type { StateDescriptor } from '../api/state-descriptor.ts'
import type { PrimitiveKey } from './key.ts'
import type { KeyGroupRange } from './key-groups.ts'
import type { TimerQueue } from './timer-queue.ts'

export interface StateAccessOptions {
  /**
   * `key`: all namespaces of a key lie together (the default). `namespace`: all keys of a namespace
   * lie together, so that visiting or clearing one is cheap: panes of windows.
   */
  readonly layout?: 'key' | 'namespace'
}

/** What every handle of the runtime has beyond the user's. */
export interface Namespaced {
  setNamespace(namespace: number): void
  /**
   * Visits every key that has this state in the namespace, with that key set as the current one.
   */
  forEachKey(namespace: number, visit: (key: PrimitiveKey) => void): void
  /** Drops this state of all keys in the namespace. */
  clearNamespace(namespace: number): void
  /** The namespaces that hold anything for any key. Any order. Only for layout `namespace`. */
  namespaces(): Iterable<number>
}

export interface Mergeable {
  /** Moves and combines the current key's contents of `sources` into `target`. */
  mergeNamespaces(target: number, sources: readonly number[]): void
}

export type InternalValueState<T> = ValueState<T> & Namespaced
export type InternalListState<T> = ListState<T> & Namespaced & Mergeable
export type InternalMapState<K, V> = MapState<K, V> & Namespaced
export type InternalReducingState<T> = ReducingState<T> & Namespaced & Mergeable
export type InternalAggregatingState<IN, ACC, OUT> = AggregatingState<IN, OUT> &
  Namespaced &
  Mergeable & {
    /** The accumulator itself: windows merge panes of it. */
    accumulator(): ACC | undefined
    setAccumulator(accumulator: ACC): void
  }

/** The handle of a descriptor, by its kind. */
export type InternalStateOf<D extends StateDescriptor> = D extends { kind: 'value' }
  ? InternalValueState<unknown>
  : D extends { kind: 'list' }
    ? InternalListState<unknown>
    : D extends { kind: 'map' }
      ? InternalMapState<unknown, unknown>
      : D extends { kind: 'reducing' }
        ? InternalReducingState<unknown>
        : InternalAggregatingState<unknown, unknown, unknown>

/**
 * A snapshot being written. The task calls `step` between batches until it is done, so that no
 * pause is long; writes go on meanwhile (K3).
 */
export interface SnapshotRun {
  /** Writes on for about `budgetMs`; true when everything is written. */
  step(budgetMs: number): boolean
  /** The snapshot. Only after `step` returned true. */
  result(): KeyedSnapshot
  /** Gives the snapshot up and frees what it holds. */
  cancel(): void
}

/**
 * The keyed state of one operator subtask: canonical, ordered by key group, backend-independent.
 */
export interface KeyedSnapshot {
  /**
   * Names, kinds, schemas, versions of the states and timers: what a restore is checked against.
   */
  readonly states: readonly StateMeta[]
  /** One section a non-empty key group: offsets into the concatenation of `chunks`. */
  readonly groups: readonly { readonly keyGroup: number; offset: number; length: number }[]
  readonly chunks: readonly Buffer[]
  /** To be called once the chunks are stored: their memory serves the next snapshot. */
  release?(): void
}

export interface StateMeta {
  readonly name: string
  readonly kind: StateDescriptor['kind'] | 'timers'
  readonly schema: unknown
  readonly keySchema?: unknown
  readonly version: number
  readonly ttl: boolean
}

/** The bytes of one restored key group, written by any backend at any parallelism. */
export interface RestoredKeyGroup {
  readonly keyGroup: number
  readonly bytes: Buffer
}

export interface RestoredKeyedState {
  readonly states: readonly StateMeta[]
  readonly groups: readonly RestoredKeyGroup[]
}

export interface KeyedStateBackend {
  readonly maxParallelism: number
  readonly range: KeyGroupRange
  /** Makes `key` the current one. Folds tuples; refuses what is no key (WEIR_KEY_INVALID). */
  setCurrentKey(key: Key): void
  /** The same for an already folded key: timers and visits. */
  setFoldedKey(key: PrimitiveKey): void
  foldedKey(): PrimitiveKey
  /** The current key as the user gave it. */
  currentKey(): Key
  /**
   * Opens a state; the same name twice gives the same state. Checks it against what was restored.
   */
  state<D extends StateDescriptor>(
    name: string,
    descriptor: D,
    options?: StateAccessOptions,
  ): InternalStateOf<D>
  /** Opens a timer queue; part of every snapshot. */
  timerQueue(name: string): TimerQueue
  /**
   * Hints at the keys that come next: a backend may hash, touch or fetch them together. False: it
   * does not pay now. Else `noteKeyAhead` follows for each key, in their order, then
   * `fetchKeysAhead`.
   */
  beginKeysAhead(): boolean
  noteKeyAhead(key: Key): void
  fetchKeysAhead(): void
  /** Loads restored key groups (those outside `range` are skipped). Before any state is opened. */
  restore(restored: readonly RestoredKeyedState[]): void
  beginSnapshot(checkpointId: number): SnapshotRun
  /** Approximate bytes of all state, and the number of entries. */
  size(): { readonly bytes: number; readonly entries: number }
  dispose(): void
}
