/** Interval joins: `a.keyBy(…).intervalJoin(b.keyBy(…)).between('-5m', '5m').process(…)`. */
import type { Duration } from '../../common/duration.ts'
import { apiErrors } from '../api-errors.ts'
import { callLocation } from '../call-location.ts'
import type {
  BoundedIntervalJoin,
  IntervalJoin,
  KeyedStream,
  OperatorStream,
} from '../data-stream.ts'
import type { IntervalJoinFunction, Key, OutputTag } from '../functions.ts'
import { signedDurationMs } from '../signed-duration.ts'
import { ORIGIN } from '../stream-origin.ts'
import type { OperatorSpec } from '../transformation.ts'
import { addOperator, erased, type StreamContext, typeOrGeneral } from './stream-context.ts'

interface JoinSides<A, B> {
  readonly left: KeyedStream<A, Key>
  readonly right: KeyedStream<B, Key>
}

type IntervalSpec = Omit<OperatorSpec & { kind: 'interval-join' }, 'kind' | 'fn'>

export class GraphIntervalJoin<A, B> implements IntervalJoin<A, B> {
  readonly #context: StreamContext
  readonly #sides: JoinSides<A, B>

  constructor(context: StreamContext, sides: JoinSides<A, B>) {
    this.#context = context
    this.#sides = sides
  }

  between(lower: Duration, upper: Duration): BoundedIntervalJoin<A, B> {
    const spec: IntervalSpec = {
      lowerMs: signedDurationMs(lower),
      upperMs: signedDurationMs(upper),
      lowerInclusive: true,
      upperInclusive: true,
      leftLateTag: undefined,
      rightLateTag: undefined,
    }
    return new GraphBoundedIntervalJoin(this.#context, this.#sides, spec)
  }
}

class GraphBoundedIntervalJoin<A, B> implements BoundedIntervalJoin<A, B> {
  readonly #context: StreamContext
  readonly #sides: JoinSides<A, B>
  readonly #spec: IntervalSpec

  constructor(context: StreamContext, sides: JoinSides<A, B>, spec: IntervalSpec) {
    this.#context = context
    this.#sides = sides
    this.#spec = spec
  }

  lowerBoundExclusive(): BoundedIntervalJoin<A, B> {
    return this.#with({ lowerInclusive: false })
  }

  upperBoundExclusive(): BoundedIntervalJoin<A, B> {
    return this.#with({ upperInclusive: false })
  }

  sideOutputLeftLateData(tag: OutputTag<A>): BoundedIntervalJoin<A, B> {
    return this.#with({ leftLateTag: tag })
  }

  sideOutputRightLateData(tag: OutputTag<B>): BoundedIntervalJoin<A, B> {
    return this.#with({ rightLateTag: tag })
  }

  process<OUT>(fn: IntervalJoinFunction<A, B, OUT>): OperatorStream<OUT> {
    const { lowerMs, upperMs, lowerInclusive, upperInclusive } = this.#spec
    const first = lowerInclusive ? lowerMs : lowerMs + 1
    const last = upperInclusive ? upperMs : upperMs - 1
    if (first > last) {
      throw apiErrors.WEIR_OPTION_INVALID({
        location: callLocation(),
        option: 'between',
        value: `${lowerMs} ms to ${upperMs} ms`,
        expected: 'a lower bound that is not above the upper one',
      })
    }
    const { left, right } = this.#sides
    return addOperator<OUT>(this.#context, {
      operator: { kind: 'interval-join', ...this.#spec, fn: erased(fn) },
      name: 'interval-join',
      inputs: [left[ORIGIN], right[ORIGIN]],
      keySelectors: [erased(left.keySelector), erased(right.keySelector)],
      outputType: typeOrGeneral(fn.output),
    })
  }

  #with(change: Partial<IntervalSpec>): BoundedIntervalJoin<A, B> {
    return new GraphBoundedIntervalJoin(this.#context, this.#sides, { ...this.#spec, ...change })
  }
}
