/**
 * Whether a task may emit: counts the full channels of all its outputs. The record loop reads
 * `fullChannels` after every record, so it is a plain field.
 */
import { assert } from '../../common/assert.ts'
import type { OutputListener } from './channel.ts'

export class OutputRoom implements OutputListener {
  fullChannels = 0
  readonly #wake: () => void

  /** `wake` is called when the last full channel has room again, or a barrier has left. */
  constructor(wake: () => void) {
    this.#wake = wake
  }

  whenFull(): void {
    this.fullChannels++
  }

  whenFree(): void {
    assert(this.fullChannels > 0, 'L2: a channel turns free once')
    this.fullChannels--
    if (this.fullChannels === 0) this.#wake()
  }

  whenBarrierLeft(): void {
    this.#wake()
  }
}
