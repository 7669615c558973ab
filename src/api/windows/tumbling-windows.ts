/** Windows of one size, end to end. */
import { type Duration, formatDuration } from '../../common/duration.ts'
import { signedDurationMs } from '../signed-duration.ts'
import type { TimeDomain, WindowAssigner } from '../window.ts'
import { defaultTimeTrigger } from './default-time-trigger.ts'
import { positiveMs, requireTimestamp, windowStart } from './window-arithmetic.ts'

export interface TumblingOptions {
  /** Moves the grid, which otherwise begins at the epoch in UTC; may be negative. */
  readonly offset?: Duration
  /** Default `event`. */
  readonly time?: TimeDomain
}

/**
 * `tumbling('1h')`: every record is in one window, from the full hour to the next.
 * `tumbling('1d', { offset: '-8h' })`: days that begin at midnight in UTC+8.
 */
export function tumbling(size: Duration, options: TumblingOptions = {}): WindowAssigner<unknown> {
  const sizeMs = positiveMs('size', size)
  const offsetMs = signedDurationMs(options.offset ?? 0)
  const timeDomain = options.time ?? 'event'
  const name = `tumbling(${formatDuration(sizeMs)})`
  return {
    name,
    timeDomain,
    merging: false,
    shape: { kind: 'tumbling', sizeMs, offsetMs },
    assign(_value, timestamp) {
      const start = windowStart(requireTimestamp(timestamp, name), sizeMs, offsetMs)
      return [{ start, end: start + sizeMs }]
    },
    defaultTrigger: () => defaultTimeTrigger(timeDomain),
  }
}
