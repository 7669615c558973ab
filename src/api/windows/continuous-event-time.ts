/** Fires again and again on the way to the window's end, by event time. */
import { type Duration, formatDuration } from '../../common/duration.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../common/timestamps.ts'
import { typeOf } from '../../schema/type-of.ts'
import { z } from '../../schema/z.ts'
import { type ReducingStateDescriptor, reducingState } from '../state-descriptor.ts'
import type { Trigger, TriggerContext } from '../window.ts'
import { maxTimestamp, positiveMs } from './window-arithmetic.ts'

type ContinuousState = {
  /** The pending interval timer; merged windows keep the earliest. */
  readonly next: ReducingStateDescriptor<number>
}

/**
 * Fires every `interval` of event time that has records, and at the window's end. Intervals begin
 * at multiples of `interval`, truncated towards zero as in Flink.
 */
export function continuousEventTime(interval: Duration): Trigger<unknown, ContinuousState> {
  const intervalMs = positiveMs('interval', interval)

  function setNext(after: number, context: TriggerContext<ContinuousState>): void {
    const next = Math.min(after + intervalMs, maxTimestamp(context.window))
    context.state.next.add(next)
    context.registerEventTimeTimer(next)
  }

  return {
    name: `continuousEventTime(${formatDuration(intervalMs)})`,
    canMerge: true,
    state: { next: reducingState((a, b) => Math.min(a, b), typeOf(z.number())) },
    onElement(_value, timestamp, context) {
      const end = maxTimestamp(context.window)
      if (end <= context.watermark) return 'fire'
      context.registerEventTimeTimer(end)
      // A record without timestamp has no interval; stepping from minus infinity would never end.
      if (context.state.next.get() === undefined && timestamp !== MIN_TIMESTAMP) {
        setNext(timestamp - (timestamp % intervalMs), context)
      }
      return 'continue'
    },
    onEventTime(time, context) {
      if (time === maxTimestamp(context.window)) return 'fire'
      if (context.state.next.get() !== time) return 'continue'
      context.state.next.clear()
      // At the end of event time a window without end would fire for ever.
      const endless = context.window.end === MAX_TIMESTAMP && context.watermark === MAX_TIMESTAMP
      if (!endless) setNext(time, context)
      return 'fire'
    },
    onProcessingTime: () => 'continue',
    onMerge(context) {
      context.mergeState('next')
      const next = context.state.next.get()
      if (next !== undefined) context.registerEventTimeTimer(next)
    },
    clear(context) {
      const next = context.state.next.get()
      if (next === undefined) return
      context.deleteEventTimeTimer(next)
      context.state.next.clear()
    },
  }
}
