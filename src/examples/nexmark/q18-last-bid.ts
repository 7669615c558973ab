/** q18: the last bid of every bidder on every auction. State grows with the pairs. */
import { type Infer, type KeyedProcessFunction, record, valueState, z } from 'weir'

import type { NexmarkQuery } from './nexmark-query.ts'

const NumberedBid = record({
  auction: z.int32(),
  bidder: z.int32(),
  price: z.int32(),
  channel: z.string(),
  url: z.string(),
  dateTime: z.timestamp(),
  extra: z.string(),
  n: z.int(),
})
type NumberedBid = Infer<typeof NumberedBid>

const LastBid = record({
  auction: z.int32(),
  bidder: z.int32(),
  price: z.int32(),
  channel: z.string(),
  url: z.string(),
  dateTime: z.timestamp(),
  extra: z.string(),
})
type LastBid = Infer<typeof LastBid>

const state = { last: valueState(NumberedBid) }

const keepLast: KeyedProcessFunction<
  readonly [number, number],
  NumberedBid,
  LastBid,
  typeof state
> = {
  output: LastBid,
  state,
  processElement(bid, context, out) {
    const last = context.state.last.value()
    if (last !== undefined && !isLater(bid, last)) return
    context.state.last.update(bid)
    const { auction, bidder, price, channel, url, dateTime, extra } = bid
    out.collect({ auction, bidder, price, channel, url, dateTime, extra })
  },
}

function isLater(bid: NumberedBid, last: NumberedBid): boolean {
  return bid.dateTime > last.dateTime || (bid.dateTime === last.dateTime && bid.n > last.n)
}

export const q18: NexmarkQuery = {
  name: 'q18',
  summary: 'keeps the last bid of each bidder on each auction',
  upsertKey: ['auction', 'bidder'],
  build: events =>
    events
      .flatMap<NumberedBid>((event, out) => {
        if (event.kind !== 'bid') return
        const { auction, bidder, price, channel, url, dateTime, extra, n } = event
        out.collect({ auction, bidder, price, channel, url, dateTime, extra, n })
      })
      .returns(NumberedBid)
      .keyBy(bid => [bid.auction, bid.bidder] as const)
      .process(keepLast)
      .uid('keep-last'),
}
