/** Accumulators of sliding windows: a window's result is merged from those of its panes. */
import type { Window } from '../../../api/window.ts'
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

  const emitOne = (window: Window, combined: unknown, shared: boolean): void => {
    const given = result(combined)
    // What is given away must not change with the pane afterwards.
    emit(window, shared && given === combined ? result(copy(combined)) : given)
  }

  /** Looks the current key up in each pane. */
  const fireAlone = (window: Window): void => {
    let combined: unknown
    let shared = true
    for (let pane = window.start; pane < window.end; pane += paneMs) {
      state.setNamespace(pane)
      const accumulator = accumulatorOf()
      if (accumulator === undefined) continue
      if (combined === undefined) {
        combined = accumulator
      } else {
        combined = merge(shared ? copy(combined) : combined, accumulator)
        shared = combined === accumulator
      }
    }
    if (combined !== undefined) emitOne(window, combined, shared)
  }

  const mergePane = (pane: number): void => {
    state.forEachKey(pane, key => {
      const number = numbers.numberOf(key)
      const accumulator = accumulatorOf()
      if (number === merged.length) {
        merged.push(accumulator)
        isShared.push(true)
      } else {
        const before = merged[number]
        const after = merge(isShared[number] === true ? copy(before) : before, accumulator)
        merged[number] = after
        isShared[number] = after === accumulator
      }
    })
  }

  return {
    select: pane => state.setNamespace(pane),
    add: value => state.add(value),
    fire(window) {
      if (visited < 0) fireAlone(window)
      else emitOne(window, merged[visited], isShared[visited] === true)
    },
    forEachKey(window, visit) {
      for (let pane = window.start; pane < window.end; pane += paneMs) mergePane(pane)
      const { keys } = numbers
      for (visited = 0; visited < keys.length; visited++) {
        backend.setFoldedKey(keys[visited] as string)
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
