/** Accumulators of sliding windows: a window's result is merged from those of its panes. */
import type { Window } from '../../../api/window.ts'
import type { PrimitiveKey } from '../../../state/key.ts'
import type { KeyedStateBackend } from '../../../state/keyed-state-backend.ts'
import type { KeyNumbers } from './key-numbers.ts'
import type { MergedAccumulators } from './merged-accumulators.ts'
import type { CombiningState, EmitResult, PaneStore } from './pane-store.ts'

interface MergedParts {
  readonly state: CombiningState
  readonly paneMs: number
  readonly backend: KeyedStateBackend
  /** Empty, like `merged`, and used by nobody else. */
  readonly numbers: KeyNumbers
  readonly merged: MergedAccumulators
  readonly emit: EmitResult
}

/**
 * One accumulator a key and pane. A window fires by one walk over the entries of its panes, pane by
 * pane as they lie in memory, merging into an array by key: no look-up in the panes of a key.
 * Self-contained: see `cloneFunction`.
 */
export function mergedPanes(parts: MergedParts): PaneStore {
  const { state, paneMs, backend, numbers, merged, emit } = parts
  const accumulatorOf =
    'accumulator' in state ? () => state.accumulator() : (): unknown => state.get()
  /** The number of the key being visited; -1 outside of a walk. */
  let visited = -1
  /** The start of the window that `merged` is of; NaN when there is none. */
  let held = Number.NaN

  const release = (): void => {
    merged.clear()
    numbers.clear()
    held = Number.NaN
  }

  /** Looks the current key up in each pane. */
  const fireAlone = (window: Window): void => {
    for (let pane = window.start; pane < window.end; pane += paneMs) {
      state.setNamespace(pane)
      const accumulator = accumulatorOf()
      if (accumulator !== undefined) merged.merge(0, accumulator)
    }
    if (merged.count > 0) emit(window, merged.result(0))
    release()
  }

  const mergeKey = (key: PrimitiveKey): void => {
    merged.merge(numbers.numberOf(key), accumulatorOf())
  }

  return {
    select: pane => state.setNamespace(pane),
    add: value => state.add(value),
    fire(window) {
      if (visited >= 0) emit(window, merged.result(visited))
      // A key that the walk could not fire since the outputs were full.
      else if (window.start === held) {
        emit(window, merged.result(numbers.numberOf(backend.foldedKey())))
      } else fireAlone(window)
    },
    forEachKey(window, visit) {
      for (let pane = window.start; pane < window.end; pane += paneMs) {
        state.forEachKey(pane, mergeKey)
      }
      held = window.start
      const { keys } = numbers
      for (visited = 0; visited < keys.length; visited++) {
        backend.setFoldedKey(keys[visited] as PrimitiveKey)
        visit()
      }
      visited = -1
    },
    release,
    drop: pane => state.clearNamespace(pane),
  }
}
