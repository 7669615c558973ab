/**
 * How large the frames of an input should be, so that what is on its way to a task is what it takes
 * in about `targetMs`: a barrier behind it then waits no longer. Pure; somebody samples it.
 *
 * Invariants
 *  BD1  The size stays within its limits, and at most doubles from one sample to the next.
 *  BD2  A change is told only when it is worth a message: by more than a quarter, or to the limit.
 *
 * Source: Flink's buffer debloating (FLIP-183).
 */
import { assert } from '../../common/assert.ts'

export interface DebloatSettings {
  readonly enabled: boolean
  /** What may be on its way to a task, in time that it takes to process it. */
  readonly targetMs: number
}

/** Between two samples. */
export const DEBLOAT_INTERVAL_MS = 200

/** The smallest frame: below it, headers and system calls are what is left. */
export const FRAME_BYTES_MIN = 1_024

/** Samples that a moving average looks back on. */
const SAMPLES = 20
const WEIGHT = 2 / (SAMPLES + 1)
const WORTH_TELLING = 0.25

export interface DebloaterOptions {
  readonly targetMs: number
  readonly frameBytesMax: number
}

export interface DebloatSample {
  /** What the task took since the last sample. */
  readonly bytes: number
  readonly elapsedMs: number
  /** Frames that may be on their way at once, of all channels. */
  readonly frames: number
}

export class BufferDebloater {
  readonly #options: DebloaterOptions
  #size: number
  #told: number

  constructor(options: DebloaterOptions) {
    assert(options.frameBytesMax >= FRAME_BYTES_MIN, 'BD1: the limits leave room')
    this.#options = options
    this.#size = options.frameBytesMax
    this.#told = options.frameBytesMax
  }

  /**
   * Of a time in which data was waiting all along: otherwise nothing is to be made shorter. Gives
   * the new size of a frame, or `undefined` when the old one is as good.
   */
  sample({ bytes, elapsedMs, frames }: DebloatSample): number | undefined {
    const { targetMs, frameBytesMax } = this.#options
    if (elapsedMs <= 0 || frames <= 0) return undefined
    const wanted = (bytes / elapsedMs) * (targetMs / frames)
    const next = this.#size + WEIGHT * (wanted - this.#size)
    this.#size = Math.min(frameBytesMax, 2 * this.#size, Math.max(FRAME_BYTES_MIN, next))
    const size = Math.round(this.#size)
    const change = Math.abs(size - this.#told)
    const isLimit = size === frameBytesMax || size === FRAME_BYTES_MIN
    if (change <= this.#told * WORTH_TELLING && !(isLimit && change > 0)) return undefined
    this.#told = size
    return size
  }
}
