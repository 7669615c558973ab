/** Keeps the latest records of a window. */
import { type Duration, durationMs, formatDuration } from '../../common/duration.ts'
import { MIN_TIMESTAMP } from '../../common/timestamps.ts'
import type { Evictor, TimestampedValue } from '../window.ts'
import { type EvictorOptions, evictorAt } from './evictor-options.ts'

/**
 * Keeps records with a timestamp above the greatest one minus `span`. Nothing is evicted when the
 * first record has no timestamp.
 */
export function timeEvictor<T = unknown>(span: Duration, options?: EvictorOptions): Evictor<T> {
  // Zero is a span like any other: it keeps nothing.
  const spanMs = durationMs(span)
  const keep = (elements: readonly TimestampedValue<T>[]) => {
    const first = elements[0]
    if (first === undefined || first.timestamp === MIN_TIMESTAMP) return elements
    let greatest = MIN_TIMESTAMP
    for (const element of elements) greatest = Math.max(greatest, element.timestamp)
    return elements.filter(element => element.timestamp > greatest - spanMs)
  }
  return evictorAt(`time(${formatDuration(spanMs)})`, keep, options)
}
