/** Windows that last as long as records follow each other closely. */
import { type Duration, durationMs, formatDuration } from '../../common/duration.ts'
import type { TimeDomain, WindowAssigner } from '../window.ts'
import { defaultTimeTrigger } from './default-time-trigger.ts'
import { positiveMs, requireTimestamp } from './window-arithmetic.ts'

export interface SessionOptions {
  /** Default `event`. */
  readonly time?: TimeDomain
}

/**
 * `session('30m')`: a session ends when half an hour passes without a record of its key.
 * `session(view => view.isLive ? '2h' : '30m')`: each record says how long it keeps its session
 * open.
 */
export function session<T = unknown>(
  gap: Duration | ((value: T) => Duration),
  options: SessionOptions = {},
): WindowAssigner<T> {
  const fixedMs = typeof gap === 'function' ? undefined : positiveMs('gap', gap)
  const gapOf = typeof gap === 'function' ? gap : () => gap
  const timeDomain = options.time ?? 'event'
  const name = `session(${fixedMs === undefined ? 'dynamic' : formatDuration(fixedMs)})`
  return {
    name,
    timeDomain,
    merging: true,
    shape: { kind: 'session', gapMs: fixedMs },
    assign(value, timestamp) {
      const start = requireTimestamp(timestamp, name)
      const gapMs = fixedMs ?? positiveGap(gapOf(value))
      return [{ start, end: start + gapMs }]
    },
    defaultTrigger: () => defaultTimeTrigger(timeDomain),
  }
}

/** The common case without the cost of {@link positiveMs}: this runs for every record. */
function positiveGap(gap: Duration): number {
  return typeof gap === 'number' && gap > 0 ? gap : positiveMs('gap', durationMs(gap))
}
