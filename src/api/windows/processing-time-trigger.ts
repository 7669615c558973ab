/** Fires when the machine's clock passes the window's end. */
import type { Trigger } from '../window.ts'
import { maxTimestamp } from './window-arithmetic.ts'

/** Fires once, at the window's end by the clock. */
export function processingTimeTrigger(): Trigger<unknown> {
  return {
    name: 'processingTime()',
    canMerge: true,
    onElement(_value, _timestamp, context) {
      context.registerProcessingTimeTimer(maxTimestamp(context.window))
      return 'continue'
    },
    onEventTime: () => 'continue',
    onProcessingTime: () => 'fire',
    onMerge(context) {
      const end = maxTimestamp(context.window)
      if (end > context.processingTime) context.registerProcessingTimeTimer(end)
    },
    clear(context) {
      context.deleteProcessingTimeTimer(maxTimestamp(context.window))
    },
  }
}
