import type { Combiner } from './combiner.ts'

/** Accumulators merged by key number. */
export interface MergedAccumulators {
  /** Merges into the accumulator of a number; the next new number is the count so far. */
  merge(number: number, accumulator: unknown): void
  readonly count: number
  /** The result of a number, sharing nothing with what was merged. */
  result(number: number): unknown
  clear(): void
}

/** Self-contained: see `cloneFunction`. */
export function mergedAccumulators(combiner: Combiner): MergedAccumulators {
  const { merge, copy, result } = combiner
  let merged: unknown[] = []
  /** Whether `merged` is still an accumulator that was given, which must stay as it is. */
  let isShared: boolean[] = []
  return {
    get count() {
      return merged.length
    },
    merge(number, accumulator) {
      if (number === merged.length) {
        merged.push(accumulator)
        isShared.push(true)
        return
      }
      const before = merged[number]
      const after = merge(isShared[number] === true ? copy(before) : before, accumulator)
      merged[number] = after
      isShared[number] = after === accumulator
    },
    result(number) {
      const combined = merged[number]
      const given = result(combined)
      const mustCopy = isShared[number] === true && given === combined
      return mustCopy ? result(copy(combined)) : given
    },
    clear() {
      merged = []
      isShared = []
    },
  }
}
