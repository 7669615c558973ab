/** Watermark strategies as jobs write them: `watermarks.boundedOutOfOrderness('5s')`. */
import { type Duration, durationMs, formatDuration } from '../common/duration.ts'
import { MIN_TIMESTAMP } from '../common/timestamps.ts'
import type {
  AlignmentOptions,
  WatermarkGenerator,
  WatermarkStrategy,
} from './watermark-strategy.ts'

/** A split silent for longer holds nothing back unless the job says otherwise. */
const IDLENESS_DEFAULT_MS = 60_000

/** A strategy with the setters that complete it; each gives a new one. */
export class WatermarkStrategyBuilder<T> implements WatermarkStrategy<T> {
  readonly name: string
  readonly timestampAssigner: ((value: T, sourceTimestamp: number) => number) | undefined
  readonly makeGenerator: (() => WatermarkGenerator<T>) | undefined
  readonly outOfOrdernessMs: number | undefined
  readonly idlenessMs: number
  readonly alignment: AlignmentOptions | undefined

  constructor(strategy: WatermarkStrategy<T>) {
    this.name = strategy.name
    this.timestampAssigner = strategy.timestampAssigner
    this.makeGenerator = strategy.makeGenerator
    this.outOfOrdernessMs = strategy.outOfOrdernessMs
    this.idlenessMs = strategy.idlenessMs
    this.alignment = strategy.alignment
  }

  /** Where a record's timestamp stands, in ms since the epoch. Default: the source's own. */
  timestamp<U extends T = T>(
    assigner: (value: U, sourceTimestamp: number) => number,
  ): WatermarkStrategyBuilder<U> {
    return new WatermarkStrategyBuilder<U>({
      ...(this as WatermarkStrategy<unknown>),
      timestampAssigner: assigner,
    })
  }

  /** A split silent for longer no longer holds the watermark back. Default 1 minute; 0: never. */
  idleness(timeout: Duration): WatermarkStrategyBuilder<T> {
    return new WatermarkStrategyBuilder({
      ...(this as WatermarkStrategy<T>),
      idlenessMs: durationMs(timeout),
    })
  }

  /** Splits of all sources of the group pause while they are `maxDrift` ahead of the slowest. */
  aligned(group: string, maxDrift: Duration): WatermarkStrategyBuilder<T> {
    const alignment = { group, maxDriftMs: durationMs(maxDrift) }
    return new WatermarkStrategyBuilder({ ...(this as WatermarkStrategy<T>), alignment })
  }
}

/** The ways to begin a strategy for records of type `T`. */
export interface Watermarks<T> {
  /** Records come at most `bound` late: the watermark is the greatest timestamp - bound - 1 ms. */
  boundedOutOfOrderness(bound: Duration): WatermarkStrategyBuilder<T>
  /** Timestamps of a split never decrease. */
  monotonous(): WatermarkStrategyBuilder<T>
  /** No watermarks before the end of input: for processing time, or no time at all. */
  none(): WatermarkStrategyBuilder<T>
  /** A generator of one's own, one a split. */
  custom(makeGenerator: () => WatermarkGenerator<T>): WatermarkStrategyBuilder<T>
}

/**
 * A strategy, or a function that makes one; the function knows the type of the records.
 *
 * ```ts
 * env
 *   .from(orderSource, w =>
 *     w
 *       .boundedOutOfOrderness('5s')
 *       .timestamp(order => order.at)
 *       .idleness('30s'),
 *   )
 *   .uid('orders')
 * ```
 */
export type WatermarkChoice<T> =
  | WatermarkStrategy<T>
  | ((watermarks: Watermarks<T>) => WatermarkStrategy<T>)

/**
 * Strategies. `timestamp` comes last: so it learns the type of the records from the source.
 *
 * ```ts
 * env
 *   .from(
 *     orderSource,
 *     watermarks
 *       .boundedOutOfOrderness('5s')
 *       .idleness('30s')
 *       .timestamp(order => order.at),
 *   )
 *   .uid('orders')
 * ```
 */
export const watermarks: Watermarks<unknown> & {
  custom<T>(makeGenerator: () => WatermarkGenerator<T>): WatermarkStrategyBuilder<T>
} = {
  boundedOutOfOrderness: bound => bounded(durationMs(bound)),
  monotonous: () => bounded(0),
  none: () => strategyOf('none', undefined, undefined),
  custom: <T>(makeGenerator: () => WatermarkGenerator<T>) =>
    strategyOf<T>('custom', makeGenerator, undefined),
}

export function resolveWatermarks<T>(choice: WatermarkChoice<T>): WatermarkStrategy<T> {
  return typeof choice === 'function' ? choice(watermarks as Watermarks<T>) : choice
}

function bounded(outOfOrdernessMs: number): WatermarkStrategyBuilder<unknown> {
  const name =
    outOfOrdernessMs === 0
      ? 'monotonous'
      : `bounded out-of-orderness ${formatDuration(outOfOrdernessMs)}`
  const make = () => new BoundedOutOfOrdernessGenerator(outOfOrdernessMs)
  return strategyOf(name, make, outOfOrdernessMs)
}

function strategyOf<T>(
  name: string,
  makeGenerator: (() => WatermarkGenerator<T>) | undefined,
  outOfOrdernessMs: number | undefined,
): WatermarkStrategyBuilder<T> {
  return new WatermarkStrategyBuilder<T>({
    name,
    timestampAssigner: undefined,
    makeGenerator,
    outOfOrdernessMs,
    idlenessMs: makeGenerator === undefined ? 0 : IDLENESS_DEFAULT_MS,
    alignment: undefined,
  })
}

/** The greatest timestamp seen - bound - 1: records as old as the bound are still in time. */
export class BoundedOutOfOrdernessGenerator implements WatermarkGenerator<unknown> {
  readonly #outOfOrdernessMs: number
  #greatest = MIN_TIMESTAMP

  constructor(outOfOrdernessMs: number) {
    this.#outOfOrdernessMs = outOfOrdernessMs
  }

  onEvent(_value: unknown, timestamp: number): undefined {
    if (timestamp > this.#greatest) this.#greatest = timestamp
  }

  onPeriodicEmit(): number {
    return this.#greatest - this.#outOfOrdernessMs - 1
  }
}
