import type { Collector } from '../../api/functions.ts'
import { assertDefined } from '../../common/assert.ts'
import { MIN_TIMESTAMP } from '../../common/timestamps.ts'
import type { TimerTarget } from '../internal-timer-service.ts'
import type { KeyedFunctionContext } from './function-context.ts'
import type { OutputCollector } from './output-collector.ts'

/** The part of a keyed function that timers call. */
export interface OnTimerFunction {
  onTimer?(timestamp: number, context: KeyedFunctionContext, out: Collector<unknown>): void
}

/**
 * Gives timers to a user function. Results of an event timer carry its time, those of a processing
 * timer none. An error always fails the task: there is no record that a policy could set aside.
 */
export class FunctionTimers implements TimerTarget {
  readonly #fn: OnTimerFunction
  readonly #collector: OutputCollector
  /** Set right after construction: the context needs the timer service, which needs this target. */
  context: KeyedFunctionContext | undefined

  constructor(fn: OnTimerFunction, collector: OutputCollector) {
    this.#fn = fn
    this.#collector = collector
  }

  onEventTime(_namespace: number, timestamp: number): void {
    this.#collector.timestamp = timestamp
    this.#fire('event', timestamp)
  }

  onProcessingTime(_namespace: number, timestamp: number): void {
    this.#collector.timestamp = MIN_TIMESTAMP
    this.#fire('processing', timestamp)
  }

  #fire(domain: 'event' | 'processing', timestamp: number): void {
    const context = assertDefined(this.context, 'timers fire after open')
    context.timeDomain = domain
    this.#fn.onTimer?.(timestamp, context, this.#collector)
  }
}
