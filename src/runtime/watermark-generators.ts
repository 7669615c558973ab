/**
 * Where watermarks come from: the built-in generators, the idleness timer, and the two put together
 * for a stream that gets its watermarks after the source (`PeriodicWatermarks`). Sources inline the
 * bounded generator (`source-output.ts`).
 */
import type { WatermarkGenerator, WatermarkStrategy } from '../api/watermark-strategy.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { ValveOutput } from './watermark-valve.ts'

/** The greatest timestamp so far, less the bound, less one: an equal timestamp may still come. */
export class BoundedOutOfOrdernessGenerator implements WatermarkGenerator<unknown> {
  readonly #boundMs: number
  #greatest = MIN_TIMESTAMP

  constructor(boundMs: number) {
    this.#boundMs = boundMs
  }

  onEvent(_value: unknown, timestamp: number): undefined {
    if (timestamp > this.#greatest) this.#greatest = timestamp
  }

  onPeriodicEmit(): number {
    return this.#greatest - this.#boundMs - 1
  }
}

/** The generator of a strategy; `undefined` where it makes no watermarks. */
export function makeGenerator<T>(
  strategy: WatermarkStrategy<T>,
): WatermarkGenerator<T> | undefined {
  if (strategy.outOfOrdernessMs !== undefined) {
    return new BoundedOutOfOrdernessGenerator(strategy.outOfOrdernessMs)
  }
  return strategy.makeGenerator?.()
}

/**
 * Tells when an input has been silent for longer than the timeout, by probes of its record counter.
 * The first probe without a new record starts the measuring; it must be exceeded strictly. The
 * caller passes a time that stands still while the input is held back by the engine itself.
 */
export class IdlenessTimer {
  readonly #timeoutMs: number
  #recordsSeen = 0
  #silentSince = 0

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** True when idle. `records` is the number of records so far. */
  probe(records: number, now: number): boolean {
    if (records !== this.#recordsSeen) {
      this.#recordsSeen = records
      this.#silentSince = 0
      return false
    }
    // A clock that was set back begins the measuring anew.
    if (this.#silentSince === 0 || now < this.#silentSince) {
      this.#silentSince = now
      return false
    }
    return now - this.#silentSince > this.#timeoutMs
  }

  /** Forgets the silence so far. */
  restart(): void {
    this.#silentSince = 0
  }
}

export interface PeriodicWatermarksOptions<T> {
  /** `undefined`: no watermarks of its own; those from upstream are swallowed all the same. */
  readonly generator: WatermarkGenerator<T> | undefined
  /** 0: never idle. */
  readonly idlenessMs: number
  readonly output: ValveOutput
}

/** Watermarks of one stream, made from its records. Watermarks from upstream no longer count. */
export class PeriodicWatermarks<T> {
  readonly #generator: WatermarkGenerator<T> | undefined
  readonly #idleness: IdlenessTimer | undefined
  readonly #output: ValveOutput
  #emitted = MIN_TIMESTAMP
  #records = 0
  #idle = false

  constructor({ generator, idlenessMs, output }: PeriodicWatermarksOptions<T>) {
    this.#generator = generator
    this.#idleness = idlenessMs > 0 ? new IdlenessTimer(idlenessMs) : undefined
    this.#output = output
  }

  get watermark(): number {
    return this.#emitted
  }

  /** Call it after the record was sent on. */
  onRecord(value: T, timestamp: number): void {
    this.#records++
    const watermark = this.#generator?.onEvent(value, timestamp)
    if (watermark !== undefined) this.#emit(watermark)
  }

  /** Call it every watermark interval. Only a watermark ends idleness, not a record alone. */
  onPeriodic(now: number): void {
    if (this.#idleness?.probe(this.#records, now) === true) {
      if (!this.#idle) this.#output.emitStatus('idle')
      this.#idle = true
      return
    }
    const watermark = this.#generator?.onPeriodicEmit()
    if (watermark !== undefined) this.#emit(watermark)
  }

  /** A watermark from upstream: only the end of event time passes. */
  onUpstreamWatermark(watermark: number): void {
    if (watermark === MAX_TIMESTAMP) this.#emit(watermark)
  }

  #emit(watermark: number): void {
    if (watermark <= this.#emitted) return
    this.#emitted = watermark
    if (this.#idle) {
      this.#idle = false
      this.#output.emitStatus('active')
    }
    this.#output.emitWatermark(watermark)
  }
}
