/** Durations that may be negative: offsets and bounds. */
import { type Duration, durationMs } from '../common/duration.ts'

/** `'-8h'` and negative numbers are before. Throws WEIR_DURATION_INVALID. */
export function signedDurationMs(value: Duration): number {
  if (typeof value === 'number') return value < 0 ? -durationMs(-value) : durationMs(value)
  return value.startsWith('-') ? -durationMs(value.slice(1) as Duration) : durationMs(value)
}
