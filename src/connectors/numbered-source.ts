/**
 * A source whose record n is a function of n alone: generators and collections. Nothing is read
 * from outside, so the next number is the whole position and any record can be made again.
 *
 * The numbers are dealt out by stride: of p splits, split i has i, i + p, i + 2p, ... Parallel
 * readers thus advance together in event time, and a single reader yields the numbers in order.
 */
import type {
  EnumeratorContext,
  JsonValue,
  ReaderContext,
  Source,
  SourceReader,
  SplitEnumerator,
} from '../api/source.ts'
import { NumberedReader } from './numbered-reader.ts'
import type { NumberedSourceOptions, NumberedSplit } from './numbered-split.ts'
import { SplitDealer } from './split-dealer.ts'

export type { NumberedSourceOptions, NumberedSplit }

/** Makes a source of records by their numbers: `makeRecordAt` is all that differs. */
export function numberedSource<T>(options: NumberedSourceOptions<T>): Source<T, NumberedSplit> {
  const { name, type, count } = options
  return {
    name,
    boundedness: count === undefined ? 'unbounded' : 'bounded',
    output: type,
    createEnumerator(
      context: EnumeratorContext<NumberedSplit>,
      state?: JsonValue,
    ): SplitEnumerator<NumberedSplit> {
      const splits = state as readonly NumberedSplit[] | undefined
      return new SplitDealer(context, splits ?? stride(context.parallelism, count))
    },
    createReader(context: ReaderContext): SourceReader<T, NumberedSplit> {
      return new NumberedReader(context, options)
    },
  }
}

function stride(parallelism: number, count: number | undefined): NumberedSplit[] {
  return Array.from({ length: parallelism }, (_, i) => {
    const split = { id: `${i}/${parallelism}`, next: i, step: parallelism }
    return count === undefined ? split : { ...split, end: count }
  })
}
