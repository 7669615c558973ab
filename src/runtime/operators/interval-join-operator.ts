/**
 * Joins the records of two keyed streams that are near each other in event time. Each side is
 * buffered by timestamp until no partner can come; each record probes the other side's buffer.
 *
 * Invariants
 *  J1  A record below the watermark is late: it is neither buffered nor joined.
 *  J2  A left record is dropped at ts + max(0, upper), a right one at ts + max(0, -lower), by a
 *      timer.
 */
import type { IntervalJoinContext, Key, KeySelector } from '../../api/functions.ts'
import { mapState } from '../../api/state-descriptor.ts'
import type { OperatorSpec } from '../../api/transformation.ts'
import type { TimestampedValue } from '../../api/window.ts'
import { requireTimestamp } from '../../api/windows/window-arithmetic.ts'
import { arrayType } from '../../schema/array-type.ts'
import { generalType } from '../../schema/general-type.ts'
import type { Type } from '../../schema/type.ts'
import { typeOf } from '../../schema/type-of.ts'
import { z } from '../../schema/z.ts'
import type { InternalMapState, KeyedStateBackend } from '../../state/keyed-state-backend.ts'
import type { OperatorContext, Push } from '../stream-operator.ts'
import { makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import { FunctionContext } from './function-context.ts'
import { makeCollector, type OutputCollector } from './output-collector.ts'
import { makeLateOutput } from './windows/late-output.ts'

type IntervalJoinSpec = Extract<OperatorSpec, { readonly kind: 'interval-join' }>

/** The buffered records of one side, by timestamp. */
type Buffer = InternalMapState<number, unknown[]>

/** The namespaces of cleanup timers. */
const LEFT = 0
const RIGHT = 1

class PairContext extends FunctionContext implements IntervalJoinContext {
  leftTimestamp = 0
  rightTimestamp = 0
}

/** One side as the other sees it. `first` and `last` bound the partner's ts - the record's ts. */
interface Side {
  readonly namespace: typeof LEFT | typeof RIGHT
  readonly own: Buffer
  readonly other: Buffer
  readonly first: number
  readonly last: number
  readonly late: Push
}

export class IntervalJoinOperator extends AbstractStreamOperator {
  readonly #spec: IntervalJoinSpec
  readonly #lowerMs: number
  readonly #upperMs: number

  constructor(context: OperatorContext, spec: IntervalJoinSpec) {
    super(context)
    this.#spec = spec
    this.#lowerMs = spec.lowerMs + (spec.lowerInclusive ? 0 : 1)
    this.#upperMs = spec.upperMs - (spec.upperInclusive ? 0 : 1)
  }

  open(): void | Promise<void> {
    const { context } = this
    const { fn, leftLateTag, rightLateTag } = this.#spec
    const backend = context.keyedState()
    const [left, right] = this.#openBuffers(backend)
    const keepLeft = this.#keepMs(LEFT)
    const keepRight = this.#keepMs(RIGHT)
    this.openTimers({
      onEventTime: (namespace, timestamp) => {
        if (namespace === LEFT) left.remove(timestamp - keepLeft)
        else right.remove(timestamp - keepRight)
      },
      onProcessingTime: () => {},
    })
    const collector = makeCollector(context)
    const pair = new PairContext(context, collector)
    const sides: readonly Side[] = [
      {
        namespace: LEFT,
        own: left,
        other: right,
        first: this.#lowerMs,
        last: this.#upperMs,
        late: makeLateOutput(context, leftLateTag),
      },
      {
        namespace: RIGHT,
        own: right,
        other: left,
        first: -this.#upperMs,
        last: -this.#lowerMs,
        late: makeLateOutput(context, rightLateTag),
      },
    ]
    this.inputs = sides.map(side => this.#input(side, { backend, pair, collector }))
    return fn.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#spec.fn.close?.()
  }

  #openBuffers(backend: KeyedStateBackend): readonly [Buffer, Buffer] {
    const time = typeOf(z.number())
    const [leftType = generalType, rightType = generalType] = this.context.inputTypes
    const open = (name: string, type: Type<unknown>): Buffer =>
      backend.state(name, mapState<number, unknown[]>(time, arrayType(type))) as Buffer
    return [open('$left', leftType), open('$right', rightType)]
  }

  /** How long after its timestamp a record may still find a partner (J2). */
  #keepMs(namespace: typeof LEFT | typeof RIGHT): number {
    return Math.max(0, namespace === LEFT ? this.#upperMs : -this.#lowerMs)
  }

  #input(side: Side, parts: JoinParts): Push {
    const { context } = this
    const { metrics } = context
    const { backend, collector } = parts
    const select: KeySelector<unknown, Key> = this.selector(side.namespace)
    const errors = makeErrorHandler(context)
    return (value, timestamp) => {
      metrics.recordsIn++
      try {
        requireTimestamp(timestamp, 'interval join')
        if (timestamp < this.watermark) {
          side.late(value, timestamp)
          return
        }
        backend.setCurrentKey(select(value))
        const arrival = { value, timestamp }
        this.#buffer(side, arrival)
        this.#probe(side, arrival, parts)
      } catch (error) {
        if (collector.emitting) throw error
        errors.handle(error, value)
      }
    }
  }

  #buffer(side: Side, { value, timestamp }: TimestampedValue<unknown>): void {
    const bucket = side.own.get(timestamp) ?? []
    bucket.push(value)
    side.own.put(timestamp, bucket)
    this.timers?.registerEventTime(side.namespace, timestamp + this.#keepMs(side.namespace))
  }

  #probe(side: Side, arrival: TimestampedValue<unknown>, { pair, collector }: JoinParts): void {
    const { fn } = this.#spec
    const { value, timestamp } = arrival
    const first = timestamp + side.first
    const last = timestamp + side.last
    for (const [partnerTimestamp, bucket] of side.other.entries()) {
      if (partnerTimestamp < first || partnerTimestamp > last) continue
      collector.timestamp = Math.max(timestamp, partnerTimestamp)
      const isLeft = side.namespace === LEFT
      pair.leftTimestamp = isLeft ? timestamp : partnerTimestamp
      pair.rightTimestamp = isLeft ? partnerTimestamp : timestamp
      for (const partner of bucket) {
        if (isLeft) fn.processPair(value, partner, pair, collector)
        else fn.processPair(partner, value, pair, collector)
      }
    }
  }
}

interface JoinParts {
  readonly backend: KeyedStateBackend
  readonly pair: PairContext
  readonly collector: OutputCollector
}
