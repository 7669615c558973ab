/**
 * Combines the watermarks of a source subtask's splits into one: the smallest of the active splits,
 * or the greatest of all where every split is idle (FLINK-38454), and never going back.
 *
 * Invariants
 *  M1  A split's watermark only grows; so do the emitted ones.
 *  M2  Registering and unregistering emit nothing: only the next combining does.
 */
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { ValveOutput } from './watermark-valve.ts'

export interface SplitWatermark {
  readonly id: string
  readonly watermark: number
  readonly idle: boolean
}

interface Entry {
  readonly id: string
  watermark: number
  idle: boolean
}

export class WatermarkMultiplexer {
  readonly #splits = new Map<string, Entry>()
  readonly #output: ValveOutput
  #emitted = MIN_TIMESTAMP

  constructor(output: ValveOutput) {
    this.#output = output
  }

  get watermark(): number {
    return this.#emitted
  }

  get size(): number {
    return this.#splits.size
  }

  /** Which split stands where; for diagnosis. */
  splits(): Iterable<SplitWatermark> {
    return this.#splits.values()
  }

  register(id: string): void {
    if (!this.#splits.has(id)) this.#splits.set(id, { id, watermark: MIN_TIMESTAMP, idle: false })
  }

  unregister(id: string): void {
    this.#splits.delete(id)
  }

  /** Notes a split's watermark, which also makes it active, until the next combining. */
  note(id: string, watermark: number): void {
    const split = this.#splits.get(id)
    if (split === undefined) return
    split.idle = false
    if (watermark > split.watermark) split.watermark = watermark
  }

  /** The same, combined at once where it can change anything: for punctuated generators. */
  advance(id: string, watermark: number): void {
    const split = this.#splits.get(id)
    if (split === undefined) return
    const raised = watermark > split.watermark
    this.note(id, watermark)
    if (raised && watermark > this.#emitted) this.combine()
  }

  noteIdle(id: string, idle: boolean): void {
    const split = this.#splits.get(id)
    if (split !== undefined) split.idle = idle
  }

  /** Emits what follows from all that was noted. */
  combine(): void {
    if (this.#splits.size === 0) return
    let least = MAX_TIMESTAMP
    let greatest = MIN_TIMESTAMP
    let allIdle = true
    for (const split of this.#splits.values()) {
      if (split.watermark > greatest) greatest = split.watermark
      if (split.idle) continue
      allIdle = false
      if (split.watermark < least) least = split.watermark
    }
    const combined = allIdle ? greatest : least
    if (combined > this.#emitted) {
      this.#emitted = combined
      this.#output.emitWatermark(combined)
    }
    if (allIdle) this.#output.emitStatus('idle')
  }
}
