/**
 * Whether a task may emit: counts the full channels of all its outputs. The record loop reads
 * `fullChannels` after every record, so it is a plain field.
 */
import { assert } from '../../common/assert.ts'
import type { OutputListener } from './channel.ts'

export class OutputRoom implements OutputListener {
  fullChannels = 0
  readonly #whenFree: () => void

  /** `whenFree` is called when the last full channel has room again. */
  constructor(whenFree: () => void) {
    this.#whenFree = whenFree
  }

  whenFull(): void {
    this.fullChannels++
  }

  whenFree(): void {
    assert(this.fullChannels > 0, 'L2: a channel turns free once')
    this.fullChannels--
    if (this.fullChannels === 0) this.#whenFree()
  }
}
