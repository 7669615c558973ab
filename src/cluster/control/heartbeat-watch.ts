/**
 * Decides from heartbeats whether the other end of a connection lives. It reads no clock.
 *
 * Owns        when something was heard, and when this end last looked.
 * Leaves out  sending and closing.
 *
 * Invariants
 *  V1  Silence for `timeoutMs` is death, as long as this end was awake to hear.
 *  V2  An end that stood still itself for `timeoutMs` counts as given up by the other: it acts on
 *      nothing that it hears afterwards.
 *  V3  An end that stood still for less listens once more before it judges.
 */
export interface HeartbeatTimes {
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** `silent`: the other end is gone. `stalled`: this end was, and the other has given it up. */
export type HeartbeatVerdict = 'alive' | 'silent' | 'stalled'

export class HeartbeatWatch {
  #times: HeartbeatTimes
  #heardMs: number
  #lookedMs: number

  constructor(times: HeartbeatTimes, nowMs: number) {
    this.#times = times
    this.#heardMs = nowMs
    this.#lookedMs = nowMs
  }

  get times(): HeartbeatTimes {
    return this.#times
  }

  /** Begins anew with other times. */
  change(times: HeartbeatTimes, nowMs: number): void {
    this.#times = times
    this.#heardMs = nowMs
    this.#lookedMs = nowMs
  }

  /** Something arrived. `stalled`: it must not be used (V2). */
  heard(nowMs: number): 'alive' | 'stalled' {
    if (nowMs - this.#lookedMs >= this.#times.timeoutMs) return 'stalled'
    this.#heardMs = nowMs
    return 'alive'
  }

  /** To be called every `intervalMs`. */
  look(nowMs: number): HeartbeatVerdict {
    const { intervalMs, timeoutMs } = this.#times
    const sinceMs = nowMs - this.#lookedMs
    this.#lookedMs = nowMs
    if (sinceMs >= timeoutMs) return 'stalled'
    // What arrived meanwhile is read only after this.
    if (sinceMs >= 2 * intervalMs) {
      this.#heardMs = Math.max(this.#heardMs, nowMs - timeoutMs + intervalMs)
    }
    return nowMs - this.#heardMs >= timeoutMs ? 'silent' : 'alive'
  }
}
