/**
 * What all operators share: timers, the watermark's advance, and doing nothing where an operator
 * has nothing to do.
 *
 * Owns        the two interruptible bursts (event and processing time) and their resumption.
 * Leaves out  records: each operator makes its own `inputs` in `open`, as a cloned factory, so that
 *             the calls of its hot path stay monomorphic.
 *
 * Invariants
 *  A1  While a burst is interrupted no other one starts: the task calls `resume` first.
 *  A2  The watermark is sent on once, after the last timer that it lets fire (O2).
 */
import { assert, assertDefined } from '../../common/assert.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../common/timestamps.ts'
import { InternalTimerService, type TimerTarget } from '../internal-timer-service.ts'
import type { OperatorContext, Push, StreamOperator, WatermarkStatus } from '../stream-operator.ts'
import { wrapTimerError } from '../user-function-errors.ts'
import type { OutputCollector } from './output-collector.ts'

/** What an interrupted burst fires. */
type Burst = 'none' | 'event' | 'processing'

export abstract class AbstractStreamOperator implements StreamOperator {
  inputs: readonly Push[] = []
  /** A plain field: the task reads it after every record. */
  blocked = false
  protected readonly context: OperatorContext
  protected timers: InternalTimerService | undefined
  /** Of operators whose timers call user functions; set in `open`. */
  protected collector: OutputCollector | undefined
  /** The newest watermark received. While its timers fire it is not sent on yet. */
  protected watermark = MIN_TIMESTAMP
  #burst: Burst = 'none'
  #now = MIN_TIMESTAMP

  constructor(context: OperatorContext) {
    this.context = context
  }

  abstract open(): void | Promise<void>

  processWatermark(watermark: number): boolean {
    assert(this.#burst === 'none', 'A1: a watermark while timers are still firing')
    this.watermark = watermark
    this.context.metrics.currentWatermark = watermark
    if (this.timers !== undefined) this.timers.watermark = watermark
    return this.#advance()
  }

  processStatus(status: WatermarkStatus): void {
    this.context.emitStatus(status)
  }

  processTime(now: number): boolean {
    assert(this.#burst === 'none', 'A1: processing time while timers are still firing')
    this.#now = now
    return this.#tick()
  }

  resume(): boolean {
    switch (this.#burst) {
      case 'event':
        return this.#advance()
      case 'processing':
        return this.#tick()
      default:
        return true
    }
  }

  nextProcessingTime(): number {
    return this.timers === undefined ? MAX_TIMESTAMP : this.timers.nextProcessingTime()
  }

  endInput(_input: number): void {}

  finish(): boolean {
    this.timers?.endProcessingTime()
    return true
  }

  prepareSnapshot(_checkpointId: number): void | Promise<void> {}

  snapshotState(_checkpointId: number): void | Promise<void> {}

  notifyCheckpointComplete(_checkpointId: number): void | Promise<void> {}

  notifyCheckpointAborted(_checkpointId: number): void {}

  close(): void | Promise<void> {}

  /** Opens the timer queues. Only for keyed operators, in `open`. */
  protected openTimers(target: TimerTarget): InternalTimerService {
    const { context } = this
    this.timers = new InternalTimerService({
      backend: context.keyedState(),
      target,
      outputFull: () => context.outputFull(),
    })
    return this.timers
  }

  /** The key selector of an input; the operator is keyed. */
  protected selector(input: number): OperatorContext['keySelectors'][number] {
    const selector = this.context.keySelectors[input]
    return assertDefined(selector, `${this.context.name} has no key selector on input ${input}`)
  }

  /** Fires what `watermark` lets fire; false when it stopped because the outputs are full. */
  protected fireEventTime(watermark: number): boolean {
    return this.timers === undefined || this.timers.fireEventTime(watermark)
  }

  protected fireProcessingTime(now: number): boolean {
    return this.timers === undefined || this.timers.fireProcessingTime(now)
  }

  /** Sends the watermark on (A2). */
  protected forwardWatermark(watermark: number): void {
    this.context.emitWatermark(watermark)
  }

  #advance(): boolean {
    // Set before the timers run: if one throws, the task fails and nothing is resumed.
    this.#burst = 'event'
    try {
      if (!this.fireEventTime(this.watermark)) return false
    } catch (error) {
      throw this.#timerError(error)
    }
    this.#burst = 'none'
    this.forwardWatermark(this.watermark)
    return true
  }

  #tick(): boolean {
    this.#burst = 'processing'
    try {
      if (!this.fireProcessingTime(this.#now)) return false
    } catch (error) {
      throw this.#timerError(error)
    }
    this.#burst = 'none'
    return true
  }

  /** What the operators behind throw is theirs. */
  #timerError(error: unknown): unknown {
    const { context, collector } = this
    return collector === undefined || collector.emitting ? error : wrapTimerError(context, error)
  }
}
