/** q7: every bid whose price is the highest of its ten seconds. */
import { type AggregateFunction, type Infer, record, tumbling, z } from 'weir'

import { type NexmarkQuery, WINDOW_SIZE } from './nexmark-query.ts'

const Bid = record({
  auction: z.int32(),
  bidder: z.int32(),
  price: z.int32(),
  dateTime: z.timestamp(),
  extra: z.string(),
})
type Bid = Infer<typeof Bid>

const HighestBid = record({
  windowStart: z.timestamp(),
  windowEnd: z.timestamp(),
  auction: z.int32(),
  bidder: z.int32(),
  price: z.int32(),
  dateTime: z.timestamp(),
  extra: z.string(),
})

/** The bids with the highest price so far: one, or several at the same price. */
const highest: AggregateFunction<Bid, Bid[], Bid[]> = {
  accumulator: z.array(Bid.zod),
  output: z.array(Bid.zod),
  create: () => [],
  add(bid, best) {
    const price = best[0]?.price ?? -1
    if (bid.price > price) return [bid]
    if (bid.price === price) best.push(bid)
    return best
  },
  result: best => best,
  merge(a, b) {
    const priceA = a[0]?.price ?? -1
    const priceB = b[0]?.price ?? -1
    if (priceA === priceB) return [...a, ...b]
    return priceA > priceB ? a : b
  },
}

export const q7: NexmarkQuery = {
  name: 'q7',
  summary: 'finds the highest bids of each ten seconds',
  build: events =>
    events
      .flatMap<Bid>((event, out) => {
        if (event.kind !== 'bid') return
        const { auction, bidder, price, dateTime, extra } = event
        out.collect({ auction, bidder, price, dateTime, extra })
      })
      .returns(Bid)
      .windowAll(tumbling(WINDOW_SIZE))
      .aggregate(highest, {
        output: HighestBid,
        process(_key, [bids = []], { window }, out) {
          for (const { auction, bidder, price, dateTime, extra } of bids) {
            const windowStart = window.start
            const windowEnd = window.end
            out.collect({ windowStart, windowEnd, auction, bidder, price, dateTime, extra })
          }
        },
      })
      .uid('highest-bids'),
}
