/**
 * Keys to look at: each at most once in the queue and once in flight, the most urgent first.
 *
 * Q1: a key that is added while it is in flight is taken again after that, never beside it.
 */
import { assert } from '../../common/assert.ts'
import type { Clock, TimerHandle } from '../../common/clock.ts'

/** From the most urgent: a person waits, a slot is lost, something changed, a look in passing. */
export const priorities = ['user', 'lost', 'event', 'resync'] as const
export type Priority = (typeof priorities)[number]

export interface Work {
  readonly key: string
  readonly priority: Priority
  readonly waitedMs: number
}

interface Queued {
  readonly priority: Priority
  readonly sinceMs: number
}

export class WorkQueue {
  readonly #clock: Clock
  readonly #queued = new Map<string, Queued>()
  /** Sets remember the order in which keys came. */
  readonly #lines = new Map<Priority, Set<string>>(priorities.map(one => [one, new Set<string>()]))
  /** Key -> what to add when it lands. */
  readonly #flying = new Map<string, Queued | undefined>()
  readonly #timers = new Map<string, { readonly atMs: number; readonly handle: TimerHandle }>()
  readonly #takers: ((work: Work | undefined) => void)[] = []
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  depth(priority: Priority): number {
    return this.#lines.get(priority)?.size ?? 0
  }

  get inFlight(): number {
    return this.#flying.size
  }

  add(key: string, priority: Priority): void {
    if (this.#isClosed) return
    const sinceMs = this.#clock.monotonic()
    if (this.#flying.has(key)) {
      const waiting = this.#flying.get(key)
      if (waiting === undefined || isMoreUrgent(priority, waiting.priority)) {
        this.#flying.set(key, { priority, sinceMs: waiting?.sinceMs ?? sinceMs })
      }
      return
    }
    const queued = this.#queued.get(key)
    if (queued !== undefined && !isMoreUrgent(priority, queued.priority)) return
    if (queued !== undefined) this.#lines.get(queued.priority)?.delete(key)
    this.#enqueue(key, { priority, sinceMs: queued?.sinceMs ?? sinceMs })
    this.#serve()
  }

  /** At the earliest of the times that were asked for. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isClosed) return
    const atMs = this.#clock.monotonic() + delayMs
    const set = this.#timers.get(key)
    if (set !== undefined && set.atMs <= atMs) return
    set?.handle.cancel()
    const handle = this.#clock.schedule(delayMs, () => {
      this.#timers.delete(key)
      this.add(key, 'resync')
    })
    this.#timers.set(key, { atMs, handle })
  }

  /** The next key, when there is one; `undefined` once the queue is closed. */
  take(): Promise<Work | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined)
    return new Promise(resolve => {
      this.#takers.push(resolve)
      this.#serve()
    })
  }

  /** The work on the key is over, well or not. */
  done(key: string): void {
    assert(this.#flying.has(key), `Q1: ${key} is in flight`)
    const next = this.#flying.get(key)
    this.#flying.delete(key)
    if (next === undefined || this.#isClosed) return
    this.#enqueue(key, next)
    this.#serve()
  }

  /** Nothing is given out any more; what is in flight ends by itself. */
  close(): void {
    this.#isClosed = true
    for (const { handle } of this.#timers.values()) handle.cancel()
    this.#timers.clear()
    this.#queued.clear()
    for (const line of this.#lines.values()) line.clear()
    for (const taker of this.#takers.splice(0)) taker(undefined)
  }

  #enqueue(key: string, queued: Queued): void {
    this.#queued.set(key, queued)
    this.#lines.get(queued.priority)?.add(key)
  }

  #serve(): void {
    while (this.#takers.length > 0) {
      const work = this.#next()
      if (work === undefined) return
      this.#takers.shift()?.(work)
    }
  }

  #next(): Work | undefined {
    for (const [priority, line] of this.#lines) {
      for (const key of line) {
        line.delete(key)
        const sinceMs = this.#queued.get(key)?.sinceMs ?? this.#clock.monotonic()
        this.#queued.delete(key)
        this.#flying.set(key, undefined)
        return { key, priority, waitedMs: this.#clock.monotonic() - sinceMs }
      }
    }
    return undefined
  }
}

function isMoreUrgent(one: Priority, other: Priority): boolean {
  return priorities.indexOf(one) < priorities.indexOf(other)
}
