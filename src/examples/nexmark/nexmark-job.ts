/** Any Nexmark query as a job: from its input to a sink of the caller's choice. */
import {
  type Job,
  job,
  type NexmarkOptions,
  nexmarkBids,
  nexmarkEvents,
  nexmarkWords,
  type Sink,
  watermarks,
} from 'weir'

import { queries } from './queries.ts'
import { auctionTotals, wordcount } from './running-counts.ts'

export interface NexmarkRun extends NexmarkOptions {
  readonly query: string
  readonly sink: Sink<unknown>
}

/** Events come in the order of their time; this is what the benchmark's definition allows for. */
const OUT_OF_ORDERNESS = '4s'

/** `wordcount` and `json` read other inputs than the events. */
export const nexmarkQueryNames: readonly string[] = [
  ...queries.map(query => query.name),
  'wordcount',
  'json',
]

/** The fields that identify a row whose later version replaces it; absent: every row counts. */
export function upsertKeyOf(query: string): readonly string[] | undefined {
  if (query === 'wordcount') return ['word']
  if (query === 'json') return ['auction']
  return queries.find(({ name }) => name === query)?.upsertKey
}

/** The job may run several times over the same input: bytes are encoded once, in the first run. */
export function nexmarkJob({ query, sink, ...options }: NexmarkRun): Job {
  const name = `nexmark-${query}`
  if (query === 'wordcount') {
    const source = nexmarkWords(options)
    return job(name, env => {
      const words = env.from(source, watermarks.none()).uid('words')
      return wordcount(words).to(sink).uid('rows')
    })
  }
  if (query === 'json') {
    const source = nexmarkBids(options)
    return job(name, env => {
      const bids = env.from(source, watermarks.none()).uid('bids')
      return auctionTotals(bids).to(sink).uid('rows')
    })
  }
  const found = queries.find(one => one.name === query)
  if (found === undefined) throw new Error(`no query is named ${query}`)
  const source = nexmarkEvents(options)
  const inTime = watermarks.boundedOutOfOrderness(OUT_OF_ORDERNESS)
  return job(name, env => {
    const events = env
      .from(
        source,
        inTime.timestamp(event => event.dateTime),
      )
      .uid('events')
    return found.build(events).to(sink).uid('rows')
  })
}
