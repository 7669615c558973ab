/** One key and window for a trigger: state in plain objects, timers in sets that tests can read. */
import type { ReducingStateDescriptor, StateDescriptors, Trigger, Window } from 'weir'
import { MIN_TIMESTAMP } from '../../../src/common/timestamps.ts'

type AnyTrigger = Trigger<unknown>
type Context = Parameters<AnyTrigger['onElement']>[2]

export class TriggerBench {
  readonly eventTimers = new Set<number>()
  readonly processingTimers = new Set<number>()
  watermark = MIN_TIMESTAMP
  processingTime = 0
  window: Window
  readonly #trigger: AnyTrigger
  readonly #stored = new Map<string, unknown>()

  constructor(trigger: AnyTrigger, window: Window) {
    this.#trigger = trigger
    this.window = window
  }

  get storedNames(): readonly string[] {
    return [...this.#stored.keys()]
  }

  element(timestamp: number, value?: unknown): string {
    return this.#trigger.onElement(value, timestamp, this.#context())
  }

  /** Advances event time and fires what is due, in order; the results by time. */
  advance(watermark: number): readonly string[] {
    this.watermark = watermark
    return this.#fireDue(this.eventTimers, watermark, time =>
      this.#trigger.onEventTime(time, this.#context()),
    )
  }

  /** The same for the clock. */
  tick(now: number): readonly string[] {
    this.processingTime = now
    return this.#fireDue(this.processingTimers, now, time =>
      this.#trigger.onProcessingTime(time, this.#context()),
    )
  }

  clear(): void {
    this.#trigger.clear(this.#context())
  }

  /** This window becomes `window` by merging with those of `others`. */
  merge(window: Window, others: readonly TriggerBench[]): void {
    this.window = window
    const context = this.#context()
    const mergeState = (name: string): void => {
      const reducing = this.#trigger.state?.[name] as ReducingStateDescriptor<unknown>
      const values = [this, ...others].flatMap(bench =>
        bench.#stored.has(name) ? [bench.#stored.get(name)] : [],
      )
      if (values.length > 0) this.#stored.set(name, values.reduce(reducing.reduce))
    }
    this.#trigger.onMerge?.({ ...context, mergeState })
  }

  #fireDue(timers: Set<number>, limit: number, fire: (time: number) => string): string[] {
    const results: string[] = []
    for (;;) {
      const [due] = [...timers].filter(time => time <= limit).toSorted((a, b) => a - b)
      if (due === undefined) return results
      timers.delete(due)
      results.push(`${due} ${fire(due)}`)
      if (results.length > 100) throw new Error('fires for ever')
    }
  }

  #context(): Context {
    return {
      window: this.window,
      watermark: this.watermark,
      processingTime: this.processingTime,
      state: this.#states(this.#trigger.state ?? {}) as never,
      registerEventTimeTimer: time => void this.eventTimers.add(time),
      registerProcessingTimeTimer: time => void this.processingTimers.add(time),
      deleteEventTimeTimer: time => void this.eventTimers.delete(time),
      deleteProcessingTimeTimer: time => void this.processingTimers.delete(time),
    }
  }

  #states(declared: StateDescriptors): object {
    const stored = this.#stored
    const handles = Object.entries(declared).map(([name, descriptor]) => {
      const add = (value: unknown): void => {
        const reduced = stored.has(name) && descriptor.kind === 'reducing'
        stored.set(name, reduced ? descriptor.reduce(stored.get(name), value) : value)
      }
      const get = (): unknown => stored.get(name)
      return [name, { add, get, value: get, update: add, clear: () => void stored.delete(name) }]
    })
    return Object.fromEntries(handles)
  }
}
