/** q0, q1, q2: what an engine costs when a query does next to nothing. */
import { type Infer, record, z } from 'weir'

import type { NexmarkQuery } from './nexmark-query.ts'

const BidRow = record({
  auction: z.int32(),
  bidder: z.int32(),
  price: z.int32(),
  dateTime: z.timestamp(),
  extra: z.string(),
})
type BidRow = Infer<typeof BidRow>

const Selected = record({ auction: z.int32(), price: z.int32() })
type Selected = Infer<typeof Selected>

export const q0: NexmarkQuery = {
  name: 'q0',
  summary: 'passes every bid through',
  build: events =>
    events
      .flatMap<BidRow>((event, out) => {
        if (event.kind !== 'bid') return
        const { auction, bidder, price, dateTime, extra } = event
        out.collect({ auction, bidder, price, dateTime, extra })
      })
      .returns(BidRow),
}

export const q1: NexmarkQuery = {
  name: 'q1',
  summary: 'converts the price of every bid to another currency',
  build: events =>
    events
      .flatMap<BidRow>((event, out) => {
        if (event.kind !== 'bid') return
        const { auction, bidder, dateTime, extra } = event
        const price = Math.floor((event.price * 908) / 1000)
        out.collect({ auction, bidder, price, dateTime, extra })
      })
      .returns(BidRow),
}

export const q2: NexmarkQuery = {
  name: 'q2',
  summary: 'selects the bids on every 123rd auction',
  build: events =>
    events
      .flatMap<Selected>((event, out) => {
        if (event.kind !== 'bid' || event.auction % 123 !== 0) return
        out.collect({ auction: event.auction, price: event.price })
      })
      .returns(Selected),
}
