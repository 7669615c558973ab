/**
 * Decides whether a process that ended is started again, and when. It reads no clock.
 *
 * Owns        how often the process has ended soon after its start.
 * Leaves out  starting it.
 *
 * Invariants
 *  J1  A process that was killed is always started again: whoever kills may do it as often as he
 *      likes.
 *  J2  One that ends by itself at once, again and again, is given up: nothing would ever run.
 *  J3  One that ran for a while is started again at once.
 */
import { processExits } from '../../cluster/supervision.ts'

export interface ProcessEnd {
  /** `null`: it was killed. */
  readonly code: number | null
  readonly signal: string | null
  readonly livedMs: number
}

/** The first ones after a steady time cost nothing: kills come in bursts. */
const FREE_TRIES = 3
const STEADY_MS = 3_000
const FIRST_DELAY_MS = 100
const DELAY_MAX_MS = 2_000
const SELF_ENDS_MAX = 10

export class RespawnPolicy {
  #soon = 0
  #selfEnds = 0

  /** ms to wait before the next start; `undefined`: it is given up. */
  ended({ code, livedMs }: ProcessEnd): number | undefined {
    if (code === processExits.refused) return undefined
    if (livedMs >= STEADY_MS) {
      this.#soon = 0
      this.#selfEnds = 0
      return 0
    }
    this.#soon++
    this.#selfEnds = code === null ? 0 : this.#selfEnds + 1
    if (this.#selfEnds >= SELF_ENDS_MAX) return undefined
    if (this.#soon <= FREE_TRIES) return 0
    return Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** (this.#soon - FREE_TRIES - 1))
  }
}
