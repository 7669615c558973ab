/** Windows of one size, a new one at every slide. */
import { type Duration, formatDuration } from '../../common/duration.ts'
import { signedDurationMs } from '../signed-duration.ts'
import type { Window, WindowAssigner } from '../window.ts'
import { defaultTimeTrigger } from './default-time-trigger.ts'
import type { TumblingOptions } from './tumbling-windows.ts'
import { positiveMs, requireTimestamp, windowStart } from './window-arithmetic.ts'

/**
 * `sliding('5m', '30s')`: a record is in ten windows. With an aggregate that has `merge` the cost
 * is that of one window, since windows share panes. With a slide above the size some records are
 * in none.
 */
export function sliding(
  size: Duration,
  slide: Duration,
  options: TumblingOptions = {},
): WindowAssigner<unknown> {
  const sizeMs = positiveMs('size', size)
  const slideMs = positiveMs('slide', slide)
  const offsetMs = signedDurationMs(options.offset ?? 0)
  const timeDomain = options.time ?? 'event'
  const name = `sliding(${formatDuration(sizeMs)}, ${formatDuration(slideMs)})`
  return {
    name,
    timeDomain,
    merging: false,
    shape: { kind: 'sliding', sizeMs, slideMs, offsetMs },
    assign(_value, timestamp) {
      const windows: Window[] = []
      const last = windowStart(requireTimestamp(timestamp, name), slideMs, offsetMs)
      for (let start = last; start > timestamp - sizeMs; start -= slideMs) {
        windows.push({ start, end: start + sizeMs })
      }
      return windows
    },
    defaultTrigger: () => defaultTimeTrigger(timeDomain),
  }
}
