/** Accumulators of sliding windows: a window's result is merged from those of its panes. */
import type { Window } from '../../../api/window.ts'
import type { PrimitiveKey } from '../../../state/key.ts'
import type { KeyedStateBackend } from '../../../state/keyed-state-backend.ts'
import type { Combiner } from './combiner.ts'
import type { KeyNumbers } from './key-numbers.ts'
import type { CombiningState, EmitResult, PaneStore } from './pane-store.ts'

interface MergedParts {
  readonly state: CombiningState
  readonly combiner: Combiner
  readonly paneMs: number
  readonly backend: KeyedStateBackend
  /** Empty, and used by nobody else. */
  readonly numbers: KeyNumbers
  readonly emit: EmitResult
}

/**
 * One accumulator a key and pane. A window fires by one walk over the entries of its panes, pane by
 * pane as they lie in memory, merging into an array by key: no look-up in the panes of a key.
 * Self-contained: see `cloneFunction`.
 */
export function mergedPanes(parts: MergedParts): PaneStore {
  const { state, combiner, paneMs, backend, numbers, emit } = parts
  const { merge, copy, result } = combiner
  const accumulatorOf =
    'accumulator' in state ? () => state.accumulator() : (): unknown => state.get()
  /** By key number: what is merged so far. */
  let merged: unknown[] = []
  /** Whether `merged` is still the accumulator of a pane, which must stay as it is. */
  let isShared: boolean[] = []
  /** The number of the key being visited; -1 outside of a walk. */
  let visited = -1

  const mergeIn = (number: number, accumulator: unknown): void => {
    if (number === merged.length) {
      merged.push(accumulator)
      isShared.push(true)
      return
    }
    const before = merged[number]
    const after = merge(isShared[number] === true ? copy(before) : before, accumulator)
    merged[number] = after
    isShared[number] = after === accumulator
  }

  const emitMerged = (window: Window, number: number): void => {
    const combined = merged[number]
    const given = result(combined)
    // What is given away must not change with the pane afterwards.
    const mustCopy = isShared[number] === true && given === combined
    emit(window, mustCopy ? result(copy(combined)) : given)
  }

  /** Looks the current key up in each pane. */
  const fireAlone = (window: Window): void => {
    for (let pane = window.start; pane < window.end; pane += paneMs) {
      state.setNamespace(pane)
      const accumulator = accumulatorOf()
      if (accumulator !== undefined) mergeIn(0, accumulator)
    }
    if (merged.length > 0) emitMerged(window, 0)
    merged = []
    isShared = []
  }

  return {
    select: pane => state.setNamespace(pane),
    add: value => state.add(value),
    fire(window) {
      if (visited < 0) fireAlone(window)
      else emitMerged(window, visited)
    },
    forEachKey(window, visit) {
      const mergeKey = (key: PrimitiveKey): void => mergeIn(numbers.numberOf(key), accumulatorOf())
      for (let pane = window.start; pane < window.end; pane += paneMs) {
        state.forEachKey(pane, mergeKey)
      }
      const { keys } = numbers
      for (visited = 0; visited < keys.length; visited++) {
        backend.setFoldedKey(keys[visited] as PrimitiveKey)
        visit()
      }
      visited = -1
      merged = []
      isShared = []
      numbers.clear()
    },
    drop: pane => state.clearNamespace(pane),
  }
}
