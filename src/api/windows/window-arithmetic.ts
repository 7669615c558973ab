/** Times on the grid of windows. */
import { durationMs } from '../../common/duration.ts'
import { MIN_TIMESTAMP } from '../../common/timestamps.ts'
import { apiErrors } from '../api-errors.ts'
import { callLocation } from '../call-location.ts'
import type { Window } from '../window.ts'

/** The greatest `offset + n * size` that is not above `timestamp`. */
export function windowStart(timestamp: number, size: number, offset: number): number {
  const remainder = (timestamp - offset) % size
  return timestamp - (remainder < 0 ? remainder + size : remainder)
}

/** The greatest timestamp that belongs to a window; `MAX_TIMESTAMP` for the global one. */
export function maxTimestamp(window: Window): number {
  return window.end - 1
}

/** Milliseconds from 1 on. Throws WEIR_OPTION_INVALID, WEIR_DURATION_INVALID. */
export function positiveMs(option: string, value: Parameters<typeof durationMs>[0]): number {
  const ms = durationMs(value)
  if (ms > 0) return ms
  throw apiErrors.WEIR_OPTION_INVALID({
    location: callLocation(),
    option,
    value: String(value),
    expected: 'a duration above zero',
  })
}

/** A whole number from 1 on. Throws WEIR_OPTION_INVALID. */
export function positiveCount(option: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw apiErrors.WEIR_OPTION_INVALID({
    location: callLocation(),
    option,
    value: String(value),
    expected: 'a whole number from 1 on',
  })
}

/** Event-time windows need to know when a record happened. Throws WEIR_TIMESTAMP_MISSING. */
export function requireTimestamp(timestamp: number, assigner: string): number {
  if (timestamp === MIN_TIMESTAMP) throw apiErrors.WEIR_TIMESTAMP_MISSING({ assigner })
  return timestamp
}
