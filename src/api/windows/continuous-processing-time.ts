/** Fires again and again on the way to the window's end, by the machine's clock. */
import { type Duration, formatDuration } from '../../common/duration.ts'
import { typeOf } from '../../schema/type-of.ts'
import { z } from '../../schema/z.ts'
import { type ReducingStateDescriptor, reducingState } from '../state-descriptor.ts'
import type { Trigger, TriggerContext } from '../window.ts'
import { maxTimestamp, positiveMs } from './window-arithmetic.ts'

type ContinuousState = {
  /** The pending timer; merged windows keep the earliest. */
  readonly next: ReducingStateDescriptor<number>
}

/**
 * Fires every `interval` of processing time as long as the window lives. On event-time windows it
 * stops once the clock has passed the window's end.
 */
export function continuousProcessingTime(interval: Duration): Trigger<unknown, ContinuousState> {
  const intervalMs = positiveMs('interval', interval)

  function setNext(after: number, context: TriggerContext<ContinuousState>): void {
    const next = Math.min(after + intervalMs, maxTimestamp(context.window))
    context.state.next.add(next)
    context.registerProcessingTimeTimer(next)
  }

  return {
    name: `continuousProcessingTime(${formatDuration(intervalMs)})`,
    canMerge: true,
    state: { next: reducingState((a, b) => Math.min(a, b), typeOf(z.number())) },
    onElement(_value, _timestamp, context) {
      if (context.state.next.get() === undefined) {
        setNext(context.processingTime - (context.processingTime % intervalMs), context)
      }
      return 'continue'
    },
    onEventTime: () => 'continue',
    onProcessingTime(time, context) {
      if (context.state.next.get() !== time) return 'continue'
      // After the firing at the end `next` stays: what outlives it gets no further timer.
      if (time < maxTimestamp(context.window)) {
        context.state.next.clear()
        setNext(time, context)
      }
      return 'fire'
    },
    onMerge(context) {
      context.mergeState('next')
      const next = context.state.next.get()
      if (next !== undefined) context.registerProcessingTimeTimer(next)
    },
    clear(context) {
      const next = context.state.next.get()
      if (next === undefined) return
      context.deleteProcessingTimeTimer(next)
      context.state.next.clear()
    },
  }
}
