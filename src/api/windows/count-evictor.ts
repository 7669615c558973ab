/** Keeps the newest records of a window. */
import type { Evictor, TimestampedValue } from '../window.ts'
import { type EvictorOptions, evictorAt } from './evictor-options.ts'
import { positiveCount } from './window-arithmetic.ts'

/** Keeps the last `count` records in the order of their arrival. */
export function countEvictor<T = unknown>(count: number, options?: EvictorOptions): Evictor<T> {
  positiveCount('count', count)
  const keep = (elements: readonly TimestampedValue<T>[]) =>
    elements.length <= count ? elements : elements.slice(elements.length - count)
  return evictorAt(`count(${count})`, keep, options)
}
