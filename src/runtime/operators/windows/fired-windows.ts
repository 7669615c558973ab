/**
 * Up to which event time the windows of this subtask have fired: what timers would say elsewhere.
 * Kept in operator state with the key groups it holds for, since a restore begins without watermark
 * and may bring key groups together that had come differently far.
 */

import type { ListState } from '../../../api/state.ts'
import { MIN_TIMESTAMP } from '../../../common/timestamps.ts'
import { typeOf } from '../../../schema/type-of.ts'
import { z } from '../../../schema/z.ts'
import { hashKey, type PrimitiveKey } from '../../../state/key.ts'
import { type KeyGroupRange, keyGroupOf } from '../../../state/key-groups.ts'
import type { OperatorContext } from '../../stream-operator.ts'

/** What all windows of these key groups with a greatest timestamp up to `firedTo` have done. */
interface FiredRange {
  readonly start: number
  readonly end: number
  firedTo: number
}

const firedType = typeOf(
  z.object({
    start: z.int(),
    end: z.int(),
    firedTo: z.number(),
    panes: z.array(z.number()),
  }),
)

interface StoredRange extends FiredRange {
  /** The panes that hold anything: those of one subtask stand with its first range. */
  readonly panes: readonly number[]
}

export interface FiredWindowsOptions {
  readonly context: OperatorContext
  readonly range: KeyGroupRange
}

export class FiredWindows {
  /** Over all key groups. */
  least = MIN_TIMESTAMP
  most = MIN_TIMESTAMP
  /** Panes with contents at the time of the snapshot; some may belong to other subtasks now. */
  readonly restoredPanes: readonly number[]
  readonly #state: ListState<StoredRange>
  readonly #maxParallelism: number
  readonly #ranges: readonly FiredRange[]

  constructor({ context, range }: FiredWindowsOptions) {
    this.#maxParallelism = context.maxParallelism
    // Union: which old subtasks' key groups come here is known to the key groups only.
    this.#state = context.operatorState.listState<StoredRange>('$fired', 'union', firedType)
    const stored = this.#state.get()
    this.restoredPanes = [...new Set(stored.flatMap(one => one.panes))]
    const own = stored
      .filter(one => one.start <= range.end && range.start <= one.end)
      .map(one => ({
        start: Math.max(one.start, range.start),
        end: Math.min(one.end, range.end),
        firedTo: one.firedTo,
      }))
    this.#ranges = own.length > 0 ? own : [{ ...range, firedTo: MIN_TIMESTAMP }]
    this.#measure()
  }

  /** Up to when the windows of this key have fired. */
  of(key: PrimitiveKey): number {
    if (this.least === this.most) return this.most
    const group = keyGroupOf(hashKey(key), this.#maxParallelism)
    const range = this.#ranges.find(one => one.start <= group && group <= one.end)
    return range?.firedTo ?? MIN_TIMESTAMP
  }

  /** All windows up to this time have fired, or are firing. */
  raise(firedTo: number): void {
    for (const range of this.#ranges) range.firedTo = Math.max(range.firedTo, firedTo)
    this.#measure()
  }

  store(panes: readonly number[]): void {
    this.#state.update(
      this.#ranges.map((range, index) => ({ ...range, panes: index === 0 ? panes : [] })),
    )
  }

  #measure(): void {
    this.least = Math.min(...this.#ranges.map(one => one.firedTo))
    this.most = Math.max(...this.#ranges.map(one => one.firedTo))
  }
}
