/** When an evictor acts. */
import type { Evictor, TimestampedValue } from '../window.ts'

export interface EvictorOptions {
  /** Evicts after the function has seen the records, not before. Default false. */
  readonly after?: boolean
}

export function evictorAt<T>(
  name: string,
  keep: (elements: readonly TimestampedValue<T>[]) => readonly TimestampedValue<T>[],
  options: EvictorOptions = {},
): Evictor<T> {
  return options.after === true
    ? { name: `${name} after`, evictAfter: keep }
    : { name, evictBefore: keep }
}
