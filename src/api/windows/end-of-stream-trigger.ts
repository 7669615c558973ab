/** Fires once, when all records have been seen. */
import type { Trigger } from '../window.ts'
import { maxTimestamp } from './window-arithmetic.ts'

/** For `global()`: fires at the end of a bounded input. On other windows: once, at their end. */
export function endOfStreamTrigger(): Trigger<unknown> {
  return {
    name: 'endOfStream()',
    canMerge: true,
    onElement(_value, _timestamp, context) {
      context.registerEventTimeTimer(maxTimestamp(context.window))
      return 'continue'
    },
    onEventTime: (time, context) =>
      time === maxTimestamp(context.window) ? 'fire-and-purge' : 'continue',
    onProcessingTime: () => 'continue',
    onMerge: context => context.registerEventTimeTimer(maxTimestamp(context.window)),
    clear: context => context.deleteEventTimeTimer(maxTimestamp(context.window)),
  }
}
