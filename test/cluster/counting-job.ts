/** A job whose result is known from its input alone: records counted by key. */
import { type Job, job } from '../../src/api/job.ts'
import { collectionSource } from '../../src/connectors/collection/collection-source.ts'
import { type CollectSink, collectSink } from '../../src/testing/collect-sink.ts'
import { pacedSource } from './paced-source.ts'

export interface Counted {
  readonly key: string
  readonly count: number
}

export interface CountingJob {
  readonly job: Job
  readonly sink: CollectSink<Counted>
  /** Throws unless each key's counts are 1, 2, 3 … up to the number of its records, each once. */
  check(): void
}

export interface CountingOptions {
  readonly records: number
  readonly keys: number
  /** Applied to every record before it is counted. */
  readonly map?: (n: number) => number
  readonly sink?: CollectSink<Counted>
  /** Absent: as fast as can be. */
  readonly perCheckpoint?: number
}

export function countingJob(options: CountingOptions): CountingJob {
  const { records, keys, map = n => n } = options
  const sink = options.sink ?? collectSink<Counted>()
  const { perCheckpoint } = options
  const source =
    perCheckpoint === undefined
      ? collectionSource(Array.from({ length: records }, (_, i) => i))
      : pacedSource({ records, perCheckpoint })
  return {
    sink,
    job: job(env =>
      env
        .from(source)
        .uid('numbers')
        .map(map)
        .map((n): Counted => ({ key: `k${n % keys}`, count: 1 }))
        .keyBy(one => one.key)
        .reduce((a, b) => ({ key: a.key, count: a.count + b.count }))
        .uid('counts')
        .to(sink)
        .uid('out'),
    ),
    check: () => checkCounts(sink.results, options),
  }
}

function checkCounts(results: readonly Counted[], { records, keys }: CountingOptions): void {
  const seen = Map.groupBy(results, result => result.key)
  for (let k = 0; k < keys; k++) {
    const wanted = Math.floor((records - 1 - k) / keys) + 1
    const counts = (seen.get(`k${k}`) ?? []).map(result => result.count).sort((a, b) => a - b)
    const wrong = counts.findIndex((count, index) => count !== index + 1)
    if (counts.length !== wanted || wrong >= 0) {
      const found = `${counts.length} results, the highest ${counts.at(-1)}`
      throw new Error(`key k${k}: ${wanted} wanted, ${found}, the first wrong one at ${wrong}`)
    }
  }
}
