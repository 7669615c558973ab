/**
 * What the slots count, as their heartbeats tell it, put together for the whole job.
 *
 * Owns        the last word of each slot, and the counts of processes that are gone.
 * Leaves out  rates and sums over time (`progress-meter.ts`).
 */
import type { SlotFigures } from '../../protocol/control-messages.ts'
import type { TaskMetrics } from '../../runtime/task-contract.ts'
import {
  addStoreCounters,
  noStoreCounters,
  type StoreCounters,
  subtractStoreCounters,
} from '../../storage/store-counters.ts'
import type { ProgressMeter } from '../progress-meter.ts'
import { UserCounters } from '../user-counters.ts'

export class SlotLedger {
  readonly counters = new UserCounters()
  readonly #meter: ProgressMeter
  readonly #figures = new Map<number, SlotFigures>()
  /** Of the process that holds the slot now. */
  readonly #counted = new Map<number, UserCounters>()
  #storage = noStoreCounters

  constructor(meter: ProgressMeter) {
    this.#meter = meter
  }

  /** The tasks that run, of all slots. */
  get tasks(): readonly TaskMetrics[] {
    return [...this.#figures.values()].flatMap(figures => figures.tasks as readonly TaskMetrics[])
  }

  /** Of the slot's process; `undefined` before its first heartbeat. */
  process(slot: number): Pick<SlotFigures, 'residentBytes' | 'cpuSeconds' | 'network'> | undefined {
    return this.#figures.get(slot)
  }

  /** What all processes that ever had a slot asked of the store. */
  get storage(): StoreCounters {
    return this.#storage
  }

  heard(slot: number, figures: SlotFigures): void {
    const { storage = noStoreCounters } = figures
    const told = this.#figures.get(slot)?.storage ?? noStoreCounters
    this.#storage = addStoreCounters(this.#storage, subtractStoreCounters(storage, told))
    this.#figures.set(slot, figures)
    const before = this.#counted.get(slot) ?? new UserCounters()
    const now = new UserCounters()
    for (const { operator, metric, count } of figures.counters) {
      now.add(operator, metric, count)
      this.counters.add(operator, metric, count - before.get(operator, metric))
    }
    this.#counted.set(slot, now)
  }

  /** The slot's tasks of these vertices are over; of all where none are named. */
  retire(slot: number, vertices?: ReadonlySet<string>): void {
    const figures = this.#figures.get(slot)
    if (figures === undefined) return
    const isOver = ({ vertexId }: { readonly vertexId: string }): boolean =>
      vertices?.has(vertexId) ?? true
    this.#meter.retire(figures.tasks.filter(isOver) as readonly TaskMetrics[])
    this.#figures.set(slot, { ...figures, tasks: figures.tasks.filter(task => !isOver(task)) })
  }

  /** The slot's process is gone, and the next one counts from the beginning. */
  lost(slot: number): void {
    this.retire(slot)
    this.#figures.delete(slot)
    this.#counted.delete(slot)
  }
}
