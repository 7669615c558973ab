/** Windows that begin together and grow step by step. */
import { type Duration, formatDuration } from '../../common/duration.ts'
import { apiErrors } from '../api-errors.ts'
import { callLocation } from '../call-location.ts'
import { signedDurationMs } from '../signed-duration.ts'
import type { Window, WindowAssigner } from '../window.ts'
import { defaultTimeTrigger } from './default-time-trigger.ts'
import type { TumblingOptions } from './tumbling-windows.ts'
import { positiveMs, requireTimestamp, windowStart } from './window-arithmetic.ts'

/**
 * `cumulate('1d', '1h')`: the day so far, every hour. `size` must be a multiple of `step`.
 */
export function cumulate(
  size: Duration,
  step: Duration,
  options: TumblingOptions = {},
): WindowAssigner<unknown> {
  const sizeMs = positiveMs('size', size)
  const stepMs = positiveMs('step', step)
  const offsetMs = signedDurationMs(options.offset ?? 0)
  const timeDomain = options.time ?? 'event'
  const name = `cumulate(${formatDuration(sizeMs)}, ${formatDuration(stepMs)})`
  if (sizeMs % stepMs !== 0) {
    const expected = `a duration that divides ${formatDuration(sizeMs)}`
    const location = callLocation()
    throw apiErrors.WEIR_OPTION_INVALID({ location, option: 'step', value: `${step}`, expected })
  }
  return {
    name,
    timeDomain,
    merging: false,
    shape: { kind: 'custom' },
    assign(_value, timestamp) {
      const start = windowStart(requireTimestamp(timestamp, name), sizeMs, offsetMs)
      const windows: Window[] = []
      const first = windowStart(timestamp, stepMs, start) + stepMs
      for (let end = first; end <= start + sizeMs; end += stepMs) windows.push({ start, end })
      return windows
    },
    defaultTrigger: () => defaultTimeTrigger(timeDomain),
  }
}
