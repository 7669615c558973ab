/** Fires when the watermark passes the window's end. */
import type { Trigger } from '../window.ts'
import { maxTimestamp } from './window-arithmetic.ts'

/** Fires at the window's end, and then at once for every late record that is still allowed. */
export function eventTimeTrigger(): Trigger<unknown> {
  return {
    name: 'eventTime()',
    canMerge: true,
    onElement(_value, _timestamp, context) {
      const end = maxTimestamp(context.window)
      if (end <= context.watermark) return 'fire'
      context.registerEventTimeTimer(end)
      return 'continue'
    },
    onEventTime: (time, context) => (time === maxTimestamp(context.window) ? 'fire' : 'continue'),
    onProcessingTime: () => 'continue',
    onMerge(context) {
      // A window that has ended fires for the record that merged it; a timer would fire it twice.
      const end = maxTimestamp(context.window)
      if (end > context.watermark) context.registerEventTimeTimer(end)
    },
    clear(context) {
      context.deleteEventTimeTimer(maxTimestamp(context.window))
    },
  }
}
