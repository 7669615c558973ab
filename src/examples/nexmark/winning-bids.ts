/**
 * q9 and q4: the winning bid of every auction, and the average price by category. An auction closes
 * by a timer; a bid that comes before its auction waits until the watermark passes it.
 */
import {
  type DataStream,
  type Infer,
  type KeyedProcessFunction,
  listState,
  type NexmarkEvent,
  record,
  valueState,
  z,
} from 'weir'

import type { NexmarkQuery } from './nexmark-query.ts'

/** An auction or a bid, reduced to what the queries need. */
const Offer = record({
  auction: z.int32(),
  isAuction: z.boolean(),
  dateTime: z.timestamp(),
  /** Of an auction. */
  expires: z.timestamp(),
  category: z.int32(),
  /** The seller of an auction, the bidder of a bid. */
  person: z.int32(),
  price: z.int32(),
  n: z.int(),
})
type Offer = Infer<typeof Offer>

const WinningBid = record({
  auction: z.int32(),
  category: z.int32(),
  seller: z.int32(),
  auctionDateTime: z.timestamp(),
  expires: z.timestamp(),
  bidder: z.int32(),
  price: z.int32(),
  bidDateTime: z.timestamp(),
})
type WinningBid = Infer<typeof WinningBid>

const NO_BID = -1
/** How long a closed auction is remembered, so that no late bid waits for it. */
const CLOSED_MS = 60_000

const OpenAuction = record({
  dateTime: z.timestamp(),
  expires: z.timestamp(),
  seller: z.int32(),
  category: z.int32(),
  closed: z.boolean(),
  bidder: z.int32(),
  /** NO_BID until a bid qualified. */
  price: z.int32(),
  bidDateTime: z.timestamp(),
  bidN: z.int(),
})
type OpenAuction = Infer<typeof OpenAuction>

const state = { auction: valueState(OpenAuction), early: listState(Offer) }

/** Keeps the better of the auction's best bid and this one; true when this one won. */
function offer(auction: OpenAuction, bid: Offer): boolean {
  if (bid.dateTime < auction.dateTime || bid.dateTime > auction.expires) return false
  if (bid.price < auction.price) return false
  if (bid.price === auction.price) {
    if (bid.dateTime > auction.bidDateTime) return false
    if (bid.dateTime === auction.bidDateTime && bid.n > auction.bidN) return false
  }
  auction.bidder = bid.person
  auction.price = bid.price
  auction.bidDateTime = bid.dateTime
  auction.bidN = bid.n
  return true
}

const closeAuctions: KeyedProcessFunction<number, Offer, WinningBid, typeof state> = {
  output: WinningBid,
  state,
  processElement(record, context) {
    if (record.isAuction) {
      const { dateTime, expires, person: seller, category } = record
      const auction: OpenAuction = {
        dateTime,
        expires,
        seller,
        category,
        closed: false,
        bidder: NO_BID,
        price: NO_BID,
        bidDateTime: 0,
        bidN: 0,
      }
      for (const bid of context.state.early.get()) offer(auction, bid)
      context.state.early.clear()
      context.state.auction.update(auction)
      context.timers.registerEventTimeTimer(expires)
      return
    }
    const auction = context.state.auction.value()
    if (auction === undefined) {
      context.state.early.add(record)
      context.timers.registerEventTimeTimer(record.dateTime)
    } else if (!auction.closed && offer(auction, record)) {
      context.state.auction.update(auction)
    }
  },
  onTimer(timestamp, context, out) {
    const auction = context.state.auction.value()
    if (auction === undefined) {
      context.state.early.update(context.state.early.get().filter(bid => bid.dateTime > timestamp))
    } else if (auction.closed) {
      if (timestamp >= auction.expires + CLOSED_MS) context.state.auction.clear()
    } else if (timestamp >= auction.expires) {
      if (auction.price !== NO_BID) out.collect(winningBid(context.key, auction))
      auction.closed = true
      context.state.auction.update(auction)
      context.timers.registerEventTimeTimer(auction.expires + CLOSED_MS)
    }
  },
}

function winningBid(auction: number, best: OpenAuction): WinningBid {
  const { category, seller, dateTime: auctionDateTime, expires } = best
  const { bidder, price, bidDateTime } = best
  return { auction, category, seller, auctionDateTime, expires, bidder, price, bidDateTime }
}

function winningBids(events: DataStream<NexmarkEvent>): DataStream<WinningBid> {
  return events
    .flatMap<Offer>((event, out) => {
      if (event.kind === 'auction') {
        out.collect({
          auction: event.id,
          isAuction: true,
          dateTime: event.dateTime,
          expires: event.expires,
          category: event.category,
          person: event.seller,
          price: 0,
          n: event.n,
        })
      } else if (event.kind === 'bid') {
        out.collect({
          auction: event.auction,
          isAuction: false,
          dateTime: event.dateTime,
          expires: 0,
          category: 0,
          person: event.bidder,
          price: event.price,
          n: event.n,
        })
      }
    })
    .returns(Offer)
    .keyBy(offer => offer.auction)
    .process(closeAuctions)
    .uid('close-auctions')
}

export const q9: NexmarkQuery = {
  name: 'q9',
  summary: 'finds the winning bid of every auction',
  build: winningBids,
}

const CategoryPrices = record({ count: z.int(), sum: z.int() })

const CategoryAverage = record({ category: z.int32(), count: z.int(), sum: z.int(), avg: z.int() })
type CategoryAverage = Infer<typeof CategoryAverage>

const averageState = { prices: valueState(CategoryPrices) }

const averagePrices: KeyedProcessFunction<
  number,
  WinningBid,
  CategoryAverage,
  typeof averageState
> = {
  output: CategoryAverage,
  state: averageState,
  processElement(bid, context, out) {
    const before = context.state.prices.value()
    const count = (before?.count ?? 0) + 1
    const sum = (before?.sum ?? 0) + bid.price
    context.state.prices.update({ count, sum })
    out.collect({ category: bid.category, count, sum, avg: Math.floor(sum / count) })
  },
}

export const q4: NexmarkQuery = {
  name: 'q4',
  summary: 'averages the closing prices of each category',
  upsertKey: ['category'],
  build: events =>
    winningBids(events)
      .keyBy(bid => bid.category)
      .process(averagePrices)
      .uid('average-prices'),
}
