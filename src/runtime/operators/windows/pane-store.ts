/**
 * What panes hold. A store is chosen by the kind of window; each is a self-contained factory (see
 * `cloneFunction`), since `add` runs for every record.
 */
import type { Window } from '../../../api/window.ts'
import type {
  InternalAggregatingState,
  InternalListState,
  InternalReducingState,
} from '../../../state/keyed-state-backend.ts'
import type { OutputCollector } from '../output-collector.ts'
import type { EmitGroup } from './join-contents.ts'

export interface PaneStore {
  /** Chooses the pane that `add` works on. */
  select(pane: number): void
  /** Adds to the current key's pane. */
  add(value: unknown, input: number): void
  /** Emits the result of the current key; nothing where the window holds nothing. */
  fire(window: Window): void
  /** Visits each key that may hold something in the window, as the current one. */
  forEachKey(window: Window, visit: () => void): void
  /** All keys that `forEachKey` visited have fired: what was made for them may go. */
  release(): void
  /** Drops a pane of all keys. */
  drop(pane: number): void
}

/** Emits one combined value for the current key. */
export type EmitResult = (window: Window, result: unknown) => void
/** Emits what a window function makes of all elements of the current key. */
export type EmitElements = (window: Window, elements: readonly unknown[]) => void

export type CombiningState =
  | InternalAggregatingState<unknown, unknown, unknown>
  | InternalReducingState<unknown>

interface CombinedParts {
  readonly state: CombiningState
  readonly emit: EmitResult
}

/** One accumulator a key and pane, where a window is one pane. All keys of a pane lie together. */
export function combinedPanes({ state, emit }: CombinedParts): PaneStore {
  return {
    select: pane => state.setNamespace(pane),
    add: value => state.add(value),
    fire(window) {
      state.setNamespace(window.start)
      const result = state.get()
      if (result !== undefined) emit(window, result)
    },
    forEachKey: (window, visit) => state.forEachKey(window.start, visit),
    release() {},
    drop: pane => state.clearNamespace(pane),
  }
}

interface ElementParts {
  readonly state: InternalListState<unknown>
  readonly emit: EmitElements
}

/** All elements of a key and pane, where a window is one pane. */
export function elementPanes({ state, emit }: ElementParts): PaneStore {
  return {
    select: pane => state.setNamespace(pane),
    add: value => state.add(value),
    fire(window) {
      state.setNamespace(window.start)
      const elements = state.get()
      if (elements.length > 0) emit(window, elements)
    },
    forEachKey: (window, visit) => state.forEachKey(window.start, visit),
    release() {},
    drop: pane => state.clearNamespace(pane),
  }
}

interface JoinParts {
  readonly left: InternalListState<unknown>
  readonly right: InternalListState<unknown>
  readonly emit: EmitGroup
  readonly collector: OutputCollector
  /** Whether keys with elements on one side only give anything. */
  readonly oneSided: boolean
}

/** The elements of two inputs by key and pane, where a window is one pane. */
export function joinPanes({ left, right, emit, collector, oneSided }: JoinParts): PaneStore {
  return {
    select(pane) {
      left.setNamespace(pane)
      right.setNamespace(pane)
    },
    add(value, input) {
      if (input === 0) left.add(value)
      else right.add(value)
    },
    fire(window) {
      left.setNamespace(window.start)
      right.setNamespace(window.start)
      const lefts = left.get()
      if (lefts.length === 0 && !oneSided) return
      const rights = right.get()
      if (lefts.length === 0 && rights.length === 0) return
      collector.timestamp = window.end - 1
      emit(lefts, rights)
    },
    forEachKey(window, visit) {
      left.forEachKey(window.start, visit)
      if (!oneSided) return
      right.forEachKey(window.start, () => {
        left.setNamespace(window.start)
        if (left.get().length === 0) visit()
      })
    },
    release() {},
    drop(pane) {
      left.clearNamespace(pane)
      right.clearNamespace(pane)
    },
  }
}
