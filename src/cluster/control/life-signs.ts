/**
 * What the two threads of a process know of each other without a message: one that does not turn
 * to its messages cannot answer. Times are those of `Clock.monotonic`.
 *
 * Owns        when the thread of records last came to its timers, and the control thread to its.
 * Leaves out  the other process (`heartbeat-watch.ts`).
 */
import type { HeartbeatTimes } from './heartbeat-watch.ts'

const RECORDS = 0
const CONTROL = 1
const PLACES = 2

export class LifeSigns {
  /** To be handed to the other thread. */
  readonly shared: SharedArrayBuffer
  readonly #seen: BigInt64Array

  constructor(shared = new SharedArrayBuffer(PLACES * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.shared = shared
    this.#seen = new BigInt64Array(shared)
  }

  /** By the thread of records. */
  recordsAwake(nowMs: number): void {
    Atomics.store(this.#seen, RECORDS, BigInt(Math.round(nowMs)))
  }

  /** By the control thread. */
  controlAwake(nowMs: number): void {
    Atomics.store(this.#seen, CONTROL, BigInt(Math.round(nowMs)))
  }

  /** So long the thread of records has not come to its timers; 0: it is on time. */
  blockedMs(nowMs: number, { intervalMs }: HeartbeatTimes): number {
    const since = this.#since(RECORDS, nowMs)
    return since >= 2 * intervalMs ? since : 0
  }

  /** Both threads stood still: the process was stopped, and the others have given it up. */
  stoodStill(nowMs: number, { timeoutMs }: HeartbeatTimes): boolean {
    return this.#since(CONTROL, nowMs) >= timeoutMs
  }

  #since(place: number, nowMs: number): number {
    const seen = Number(Atomics.load(this.#seen, place))
    return seen === 0 ? 0 : Math.max(0, nowMs - seen)
  }
}
