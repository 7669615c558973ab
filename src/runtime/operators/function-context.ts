/**
 * The context objects that user functions get: one of each an operator instance, reused for every
 * record, so that no record allocates one.
 */
import type {
  ElementContext,
  Key,
  OutputTag,
  RuntimeContext,
  TimerService,
} from '../../api/functions.ts'
import { MIN_TIMESTAMP } from '../../common/timestamps.ts'
import type { KeyedStateBackend } from '../../state/keyed-state-backend.ts'
import type { InternalTimerService } from '../internal-timer-service.ts'
import type { OperatorContext, Push } from '../stream-operator.ts'
import type { OutputCollector } from './output-collector.ts'

/** Reads the current timestamp from the collector, which the operator sets for each record. */
export class FunctionContext implements ElementContext {
  readonly runtime: RuntimeContext
  readonly #collector: OutputCollector
  readonly #sideOutput: (tagId: string) => Push
  readonly #pushes = new Map<string, Push>()

  constructor(context: OperatorContext, collector: OutputCollector) {
    this.runtime = context.runtime
    this.#collector = collector
    this.#sideOutput = tagId => context.sideOutput(tagId)
  }

  get timestamp(): number | undefined {
    const { timestamp } = this.#collector
    return timestamp === MIN_TIMESTAMP ? undefined : timestamp
  }

  output<T>(tag: OutputTag<T>, value: T): void {
    let push = this.#pushes.get(tag.id)
    if (push === undefined) {
      push = this.#sideOutput(tag.id)
      this.#pushes.set(tag.id, push)
    }
    const collector = this.#collector
    collector.emitting = true
    push(value, collector.timestamp)
    collector.emitting = false
  }
}

export interface KeyedContextParts {
  readonly context: OperatorContext
  readonly collector: OutputCollector
  readonly backend: KeyedStateBackend
  readonly timers: InternalTimerService
  readonly state: object
}

/** For keyed functions; `timeDomain` counts inside `onTimer` only. */
export class KeyedFunctionContext extends FunctionContext {
  readonly state: never
  readonly timers: TimerService
  timeDomain: 'event' | 'processing' = 'event'
  readonly #backend: KeyedStateBackend

  constructor(parts: KeyedContextParts) {
    super(parts.context, parts.collector)
    this.#backend = parts.backend
    // The function declared these very states: its own types describe them better than ours could.
    this.state = parts.state as never
    this.timers = new UserTimerService(parts.context, parts.timers)
  }

  get key(): Key {
    return this.#backend.currentKey()
  }
}

/** The timers of user functions: namespace 0. */
class UserTimerService implements TimerService {
  readonly #context: OperatorContext
  readonly #timers: InternalTimerService

  constructor(context: OperatorContext, timers: InternalTimerService) {
    this.#context = context
    this.#timers = timers
  }

  currentProcessingTime(): number {
    return this.#context.processingTime()
  }

  currentWatermark(): number {
    return this.#timers.watermark
  }

  registerEventTimeTimer(timestamp: number): void {
    this.#timers.registerEventTime(0, timestamp)
  }

  registerProcessingTimeTimer(timestamp: number): void {
    this.#timers.registerProcessingTime(0, timestamp)
  }

  deleteEventTimeTimer(timestamp: number): void {
    this.#timers.deleteEventTime(0, timestamp)
  }

  deleteProcessingTimeTimer(timestamp: number): void {
    this.#timers.deleteProcessingTime(0, timestamp)
  }
}
