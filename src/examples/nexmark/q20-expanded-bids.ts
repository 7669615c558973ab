/** q20: bids of one category with their auction. A bid waits until its auction is known. */
import { type Infer, type KeyedCoProcessFunction, listState, record, valueState, z } from 'weir'

import type { NexmarkQuery } from './nexmark-query.ts'

const CATEGORY = 10

const Bid = record({
  auction: z.int32(),
  bidder: z.int32(),
  price: z.int32(),
  channel: z.string(),
  url: z.string(),
  dateTime: z.timestamp(),
  extra: z.string(),
})
type Bid = Infer<typeof Bid>

const Auction = record({
  id: z.int32(),
  itemName: z.string(),
  description: z.string(),
  initialBid: z.int32(),
  reserve: z.int32(),
  dateTime: z.timestamp(),
  expires: z.timestamp(),
  seller: z.int32(),
  category: z.int32(),
  extra: z.string(),
})
type Auction = Infer<typeof Auction>

const ExpandedBid = record({
  auction: z.int32(),
  bidder: z.int32(),
  price: z.int32(),
  channel: z.string(),
  url: z.string(),
  bidDateTime: z.timestamp(),
  bidExtra: z.string(),
  itemName: z.string(),
  description: z.string(),
  initialBid: z.int32(),
  reserve: z.int32(),
  auctionDateTime: z.timestamp(),
  expires: z.timestamp(),
  seller: z.int32(),
  category: z.int32(),
  auctionExtra: z.string(),
})
type ExpandedBid = Infer<typeof ExpandedBid>

const state = {
  auction: valueState(Auction),
  /** The auction is of another category: its bids are dropped, nothing of it is kept. */
  other: valueState(z.boolean()),
  waiting: listState(Bid),
}

const joinAuctions: KeyedCoProcessFunction<number, Bid, Auction, ExpandedBid, typeof state> = {
  output: ExpandedBid,
  state,
  processElement1(bid, context, out) {
    const auction = context.state.auction.value()
    if (auction !== undefined) out.collect(expand(bid, auction))
    else if (context.state.other.value() === undefined) context.state.waiting.add(bid)
  },
  processElement2(auction, context, out) {
    if (auction.category === CATEGORY) {
      context.state.auction.update(auction)
      for (const bid of context.state.waiting.get()) out.collect(expand(bid, auction))
    } else {
      context.state.other.update(true)
    }
    context.state.waiting.clear()
  },
}

function expand(bid: Bid, auction: Auction): ExpandedBid {
  return {
    auction: bid.auction,
    bidder: bid.bidder,
    price: bid.price,
    channel: bid.channel,
    url: bid.url,
    bidDateTime: bid.dateTime,
    bidExtra: bid.extra,
    itemName: auction.itemName,
    description: auction.description,
    initialBid: auction.initialBid,
    reserve: auction.reserve,
    auctionDateTime: auction.dateTime,
    expires: auction.expires,
    seller: auction.seller,
    category: auction.category,
    auctionExtra: auction.extra,
  }
}

export const q20: NexmarkQuery = {
  name: 'q20',
  summary: 'joins the bids of one category with their auctions',
  build(events) {
    const bids = events
      .flatMap<Bid>((event, out) => {
        if (event.kind !== 'bid') return
        const { auction, bidder, price, channel, url, dateTime, extra } = event
        out.collect({ auction, bidder, price, channel, url, dateTime, extra })
      })
      .returns(Bid)
    const auctions = events
      .flatMap<Auction>((event, out) => {
        if (event.kind !== 'auction') return
        const { id, itemName, description, initialBid, reserve } = event
        const { dateTime, expires, seller, category, extra } = event
        out.collect({
          id,
          itemName,
          description,
          initialBid,
          reserve,
          dateTime,
          expires,
          seller,
          category,
          extra,
        })
      })
      .returns(Auction)
    return bids
      .keyBy(bid => bid.auction)
      .connect(auctions.keyBy(auction => auction.id))
      .process(joinAuctions)
      .uid('join-auctions')
  },
}
