/**
 * The port of timers: a set of (key, namespace, timestamp), ordered by timestamp. Timers are state:
 * they are snapshotted and restored by key group like any other.
 *
 * Invariants
 *  T1  (key, namespace, timestamp) is in the queue at most once.
 *  T2  `poll` gives timestamps that never decrease while nothing smaller is added.
 */
import type { PrimitiveKey } from './key.ts'

export interface Timer {
  readonly key: PrimitiveKey
  readonly namespace: number
  readonly timestamp: number
}

export interface TimerQueue {
  /** Adds a timer of the backend's current key; false when it was there. */
  add(namespace: number, timestamp: number): boolean
  /** Removes a timer of the current key; false when it was not there. */
  remove(namespace: number, timestamp: number): boolean
  /** The smallest timestamp, `MAX_TIMESTAMP` when empty. */
  nextTimestamp(): number
  /**
   * Removes the first timer with timestamp <= `limit`, makes its key the backend's current one, and
   * gives it in `polledNamespace` / `polledTimestamp`; false when there is none. No object is made.
   */
  poll(limit: number): boolean
  readonly polledNamespace: number
  readonly polledTimestamp: number
  readonly size: number
}
