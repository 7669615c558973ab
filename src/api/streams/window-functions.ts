/** The short forms of window functions, as the one form that the runtime knows. */
import type { WindowFunction, WindowResultFunction } from '../data-stream.ts'
import type { Key } from '../functions.ts'
import type { ProcessWindowFunction } from '../window.ts'

/** One aggregate in, one result out. */
export function fromResultFunction<IN, OUT, K extends Key>(
  fn: WindowResultFunction<IN, OUT, K>,
): ProcessWindowFunction<IN, OUT, K> {
  return {
    process(key, elements, { window }, out) {
      out.collect(fn(elements[0] as IN, { key, start: window.start, end: window.end }))
    },
  }
}

/** All records in, any number of results out. */
export function fromPlainFunction<IN, OUT, K extends Key>(
  fn: WindowFunction<IN, OUT, K>,
): ProcessWindowFunction<IN, OUT, K> {
  return {
    process(key, elements, { window }, out) {
      const results = fn(elements, { key, start: window.start, end: window.end }, out)
      if (results === undefined) return
      for (const result of results) out.collect(result)
    },
  }
}
