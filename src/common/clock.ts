/**
 * Time is passed in. `SystemClock` is the only reader of the machine's clock; tests and the
 * simulation pass a manual one (`testing/manual-clock.ts`).
 */
import { performance } from 'node:perf_hooks'
import process from 'node:process'

export interface TimerHandle {
  cancel(): void
}

export interface Clock {
  /** Milliseconds since the epoch. May go backwards when the machine's clock is set. */
  now(): number
  /**
   * Milliseconds that never go backwards, from an unspecified start; for durations only. All
   * threads of a process count from the same one.
   */
  monotonic(): number
  /** Calls back once, `delayMs` from now or later. Never from within this call. */
  schedule(delayMs: number, callback: () => void): TimerHandle
}

/** Each thread has a `performance` of its own, which counts from the start of that thread. */
const threadStartMs = Number(process.hrtime.bigint()) / 1e6 - performance.now()

export class SystemClock implements Clock {
  now(): number {
    return Date.now()
  }

  monotonic(): number {
    return threadStartMs + performance.now()
  }

  schedule(delayMs: number, callback: () => void): TimerHandle {
    // setTimeout overflows to 1 ms beyond 2^31-1: such a timer is as good as never.
    const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), 2_147_483_647))
    return { cancel: () => clearTimeout(handle) }
  }
}
