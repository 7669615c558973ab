import type { WatermarkStrategy } from '../../api/watermark-strategy.ts'
import { MAX_TIMESTAMP } from '../../common/timestamps.ts'
import { PeriodicTick } from '../periodic-tick.ts'
import { runtimeErrors } from '../runtime-errors.ts'
import type { OperatorContext, WatermarkStatus } from '../stream-operator.ts'
import { makeErrorHandler } from '../user-function-errors.ts'
import { makeGenerator, PeriodicWatermarks } from '../watermark-generators.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'

/** How often generators are asked: as Flink does by default. */
const WATERMARK_INTERVAL_MS = 200

/**
 * Gives timestamps and watermarks in the middle of a stream. Those from upstream no longer count,
 * except for the end of event time.
 */
export class WatermarksOperator extends AbstractStreamOperator {
  readonly #strategy: WatermarkStrategy<unknown>
  #periodic: PeriodicWatermarks<unknown> | undefined
  #tick: PeriodicTick | undefined

  constructor(context: OperatorContext, strategy: WatermarkStrategy<unknown>) {
    super(context)
    this.#strategy = strategy
  }

  open(): void {
    const { context } = this
    const { metrics, emit } = context
    const { timestampAssigner: assign, idlenessMs } = this.#strategy
    const errors = makeErrorHandler(context)
    const periodic = new PeriodicWatermarks<unknown>({
      generator: makeGenerator(this.#strategy),
      idlenessMs,
      output: {
        emitWatermark: watermark => this.#emit(watermark),
        emitStatus: status => context.emitStatus(status),
      },
    })
    this.#periodic = periodic
    this.#tick = new PeriodicTick(context.clock, WATERMARK_INTERVAL_MS)
    const input = (value: unknown, timestamp: number): void => {
      metrics.recordsIn++
      let assigned = timestamp
      try {
        if (assign !== undefined) assigned = checked(assign(value, timestamp))
      } catch (error) {
        errors.handle(error, value)
        return
      }
      metrics.recordsOut++
      emit(value, assigned)
      periodic.onRecord(value, assigned)
    }
    this.inputs = [input]
  }

  override processWatermark(watermark: number): boolean {
    this.#periodic?.onUpstreamWatermark(watermark)
    return true
  }

  /** Whether this stream is idle is for its own records to say. */
  override processStatus(_status: WatermarkStatus): void {}

  override processTime(now: number): boolean {
    if (this.#tick?.take(now) === true) this.#periodic?.onPeriodic(now)
    return true
  }

  override nextProcessingTime(): number {
    return this.#tick?.nextMs ?? MAX_TIMESTAMP
  }

  #emit(watermark: number): void {
    this.context.metrics.currentWatermark = watermark
    this.context.emitWatermark(watermark)
  }
}

function checked(timestamp: number): number {
  if (typeof timestamp === 'number' && timestamp - timestamp === 0) return timestamp
  throw runtimeErrors.WEIR_TIMESTAMP_INVALID({ timestamp: String(timestamp) })
}
