/** Drops the records of a window that are far from its last one. */
import type { Evictor } from '../window.ts'
import { type EvictorOptions, evictorAt } from './evictor-options.ts'

/** Drops records for which `delta(record, last) >= threshold`. */
export function deltaEvictor<T>(
  threshold: number,
  delta: (value: T, last: T) => number,
  options?: EvictorOptions,
): Evictor<T> {
  return evictorAt<T>(
    `delta(${threshold})`,
    elements => {
      const last = elements.at(-1)
      if (last === undefined) return elements
      return elements.filter(element => delta(element.value, last.value) < threshold)
    },
    options,
  )
}
