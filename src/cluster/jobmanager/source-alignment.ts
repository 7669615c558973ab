/**
 * Watermark alignment over the slots of a job: what each slot is to hear of the others, and when.
 * Pure: reports in, what to say out; no clock.
 *
 * Owns        the last report of each slot.
 * Leaves out  sending and waiting (`alignment-rounds.ts`), the limit itself and who pauses: the
 *             slots (`runtime/watermark-alignment.ts`).
 *
 * Invariants
 *  SA1  A slot hears of the slowest of the others, never of itself: else a paused source would wait
 *      for its own report.
 *  SA2  A slot that has not reported yet holds all others back.
 */
import type { GroupStanding } from '../../runtime/watermark-alignment.ts'

/** As in Flink. */
const CALM_MS = 1_000
/** While somebody waits: what is held back goes on soon. */
const WAITING_MS = 100

export interface SlotReport {
  readonly slot: number
  readonly standings: readonly GroupStanding[]
  /** Whether a source there waits for others. */
  readonly waits: boolean
}

export class SourceAlignment {
  /** By group: the slots that have a member. */
  readonly #slots: ReadonlyMap<string, ReadonlySet<number>>
  readonly #reports = new Map<number, SlotReport>()

  constructor(slots: ReadonlyMap<string, ReadonlySet<number>>) {
    this.#slots = slots
  }

  /** Those that have something to hear. */
  get slots(): ReadonlySet<number> {
    return new Set([...this.#slots.values()].flatMap(slots => [...slots]))
  }

  /** Whether every slot was heard of. */
  get isComplete(): boolean {
    return this.#reports.size === this.slots.size
  }

  /** Until the next round. */
  get delayMs(): number {
    return [...this.#reports.values()].some(report => report.waits) ? WAITING_MS : CALM_MS
  }

  report(report: SlotReport): void {
    this.#reports.set(report.slot, report)
  }

  /** Where the slowest of the other slots stand. */
  othersOf(slot: number): readonly GroupStanding[] {
    const groups = [...this.#slots].filter(([, slots]) => slots.has(slot))
    return groups.map(([group, slots]) => {
      const others = [...slots].filter(other => other !== slot)
      const watermarks = others.map(other => this.#standing(group, other))
      return { group, watermark: Math.min(...watermarks) }
    })
  }

  #standing(group: string, slot: number): number {
    const report = this.#reports.get(slot)
    const standing = report?.standings.find(one => one.group === group)
    return standing?.watermark ?? -Number.MAX_VALUE
  }
}
