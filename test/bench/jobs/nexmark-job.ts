/** A Nexmark query over prepared bytes, in processes: notes how far its sources are over time. */
import { job, nexmarkBids, nexmarkEvents, nexmarkWords, watermarks } from 'weir'
import { queries } from '../../../src/examples/nexmark/queries.ts'
import { auctionTotals, wordcount } from '../../../src/examples/nexmark/running-counts.ts'
import { countingSink, sampled } from './measure.ts'

export default job('nexmark', env => {
  const { args } = env
  const folder = args.get('report', 'report')
  const query = args.get('query', 'q5')
  const count = args.int('events', 1_000_000)
  const rate = args.int('rate', 10_000)
  const input = args.oneOf('input', ['bytes', 'generator'], 'bytes')
  const options = { count, rate, input }
  const sink = countingSink<unknown>({ folder })
  if (query === 'wordcount') {
    const words = env.from(sampled(nexmarkWords(options), folder)).uid('words')
    return wordcount(words).to(sink).uid('rows')
  }
  if (query === 'json') {
    const bids = env.from(sampled(nexmarkBids(options), folder)).uid('bids')
    return auctionTotals(bids).to(sink).uid('rows')
  }
  const found = queries.find(({ name }) => name === query)
  if (found === undefined) throw new Error(`no query is named ${query}`)
  const events = env
    .from(
      sampled(nexmarkEvents(options), folder),
      watermarks.boundedOutOfOrderness('4s').timestamp(event => event.dateTime),
    )
    .uid('events')
  return found.build(events).to(sink).uid('rows')
})
