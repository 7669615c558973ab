/**
 * The panes of one key of a sliding window, side by side: a window fires by one walk over its keys
 * instead of a look-up in each of its panes.
 */

import type { Window } from '../../../api/window.ts'
import type { Type } from '../../../schema/type.ts'
import type { InternalValueState } from '../../../state/keyed-state-backend.ts'
import type { Combiner } from './combiner.ts'
import type { PaneGrid } from './pane-grid.ts'
import type { EmitResult, PaneStore } from './pane-store.ts'

export interface PaneRing {
  /** The start of the pane in slot 0. */
  first: number
  /** An accumulator a pane; `undefined` where a pane is empty. Neither end is. */
  readonly slots: unknown[]
}

export function paneRingType(accumulator: Type<unknown>): Type<PaneRing> {
  return {
    name: `{first: float64, slots: (${accumulator.name})?[]}`,
    schema: {
      kind: 'object',
      fields: [
        { name: 'first', type: { kind: 'float64' } },
        {
          name: 'slots',
          type: { kind: 'array', of: { kind: 'optional', of: accumulator.schema } },
        },
      ],
    },
    storage: 'object',
    write(out, { first, slots }) {
      out.writeFloat64(first)
      out.writeVarint(slots.length)
      for (const slot of slots) {
        out.writeUint8(slot === undefined ? 0 : 1)
        if (slot !== undefined) accumulator.write(out, slot)
      }
    },
    read(input) {
      const first = input.readFloat64()
      const slots: unknown[] = []
      for (let left = input.readVarint(); left > 0; left--) {
        slots.push(input.readUint8() === 0 ? undefined : accumulator.read(input))
      }
      return { first, slots }
    },
  }
}

interface RingParts {
  readonly state: InternalValueState<PaneRing>
  readonly combiner: Combiner
  readonly grid: PaneGrid
  readonly emit: EmitResult
}

/** Self-contained: see `cloneFunction`. */
export function ringPanes({ state, combiner, grid, emit }: RingParts): PaneStore {
  const { paneMs } = grid
  const { add, merge, copy, result } = combiner
  let pane = 0
  let trimmedTo = Number.NEGATIVE_INFINITY

  /** Makes room for a pane before or beyond those of the ring; gives its slot. */
  const widen = (ring: PaneRing): number => {
    const { slots } = ring
    for (let at = ring.first; at > pane; at -= paneMs) slots.unshift(undefined)
    ring.first = Math.min(ring.first, pane)
    const slot = (pane - ring.first) / paneMs
    while (slots.length <= slot) slots.push(undefined)
    return slot
  }

  /** Drops the current key's panes before `limit`, and the key with its last pane. */
  const trim = (limit: number): void => {
    const ring = state.value()
    if (ring === undefined || ring.first >= limit) return
    const { slots } = ring
    let dead = Math.min((limit - ring.first) / paneMs, slots.length)
    while (dead < slots.length && slots[dead] === undefined) dead++
    if (dead === slots.length) {
      state.clear()
      return
    }
    slots.splice(0, dead)
    ring.first += dead * paneMs
    state.update(ring)
  }

  /** The combination of a window's panes, to be given away: never an accumulator in state. */
  const combine = ({ first, slots }: PaneRing, window: Window): unknown => {
    const stop = Math.min((window.end - first) / paneMs, slots.length)
    let combined: unknown
    // Whether `combined` is the accumulator of a pane.
    let shared = true
    for (let i = Math.max(0, (window.start - first) / paneMs); i < stop; i++) {
      const slot = slots[i]
      if (slot === undefined) continue
      if (combined === undefined) {
        combined = slot
        continue
      }
      combined = merge(shared ? copy(combined) : combined, slot)
      shared = combined === slot
    }
    if (combined === undefined) return undefined
    const given = result(combined)
    return shared && given === combined ? result(copy(combined)) : given
  }

  return {
    select(chosen) {
      pane = chosen
    },
    add(value) {
      const ring = state.value()
      if (ring === undefined) {
        state.update({ first: pane, slots: [add(value, undefined)] })
        return
      }
      const { slots } = ring
      let slot = (pane - ring.first) / paneMs
      if (slot < 0 || slot >= slots.length) slot = widen(ring)
      slots[slot] = add(value, slots[slot])
      state.update(ring)
    },
    fire(window) {
      const ring = state.value()
      if (ring === undefined) return
      const given = combine(ring, window)
      if (given !== undefined) emit(window, given)
    },
    forEachKey(_window, deadBefore, visit) {
      let all = true
      state.forEachKey(0, () => {
        if (visit()) trim(deadBefore)
        else all = false
      })
      if (all) trimmedTo = Math.max(trimmedTo, deadBefore)
    },
    drop(panes) {
      const limit = Math.max(...panes) + paneMs
      if (limit > trimmedTo) state.forEachKey(0, () => trim(limit))
      trimmedTo = Math.max(trimmedTo, limit)
    },
  }
}
