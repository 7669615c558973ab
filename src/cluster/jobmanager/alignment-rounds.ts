/** Tells slots from time to time how far the sources of the others are. */
import type { Clock, TimerHandle } from '../../common/clock.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import { alignedSlots } from '../aligned-slots.ts'
import type { SlotCommandBody } from '../slot-messages.ts'
import { type SlotReport, SourceAlignment } from './source-alignment.ts'

export interface AlignmentRoundsOptions {
  readonly graph: JobGraph
  readonly clock: Clock
  readonly send: (slot: number, order: Extract<SlotCommandBody, { readonly kind: 'align' }>) => void
}

/** Of one attempt. */
export class AlignmentRounds {
  readonly #options: AlignmentRoundsOptions
  readonly #alignment: SourceAlignment
  #timer: TimerHandle | undefined
  #isOpening = true

  constructor(options: AlignmentRoundsOptions) {
    this.#options = options
    this.#alignment = new SourceAlignment(alignedSlots(options.graph))
  }

  /** All subtasks run: their sources are members. */
  start(): void {
    if (this.#alignment.slots.size > 0) this.#round()
  }

  report(report: SlotReport): void {
    this.#alignment.report(report)
    if (!this.#isOpening || !this.#alignment.isComplete) return
    // Until now each slot held all others back.
    this.#isOpening = false
    this.#round()
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #round(): void {
    this.close()
    const { clock, send } = this.#options
    const { slots, delayMs } = this.#alignment
    for (const slot of slots) {
      send(slot, { kind: 'align', others: this.#alignment.othersOf(slot) })
    }
    this.#timer = clock.schedule(delayMs, () => this.#round())
  }
}
