/** wordcount and json: a running count by key, over words and over the JSON of bids. */
import {
  type DataStream,
  type Infer,
  type KeyedProcessFunction,
  type NexmarkBid,
  record,
  valueState,
  z,
} from 'weir'

const WordCount = record({ word: z.string(), count: z.int32() })
export type WordCount = Infer<typeof WordCount>

const wordState = { count: valueState(z.int32()) }

const countWords: KeyedProcessFunction<string, string, WordCount, typeof wordState> = {
  output: WordCount,
  state: wordState,
  processElement(word, context, out) {
    const count = (context.state.count.value() ?? 0) + 1
    context.state.count.update(count)
    out.collect({ word, count })
  },
}

/** One row per word read: the word and how often it came so far. */
export function wordcount(words: DataStream<string>): DataStream<WordCount> {
  return words
    .keyBy(word => word)
    .process(countWords)
    .uid('count-words')
}

export const AuctionTotal = record({ auction: z.int32(), count: z.int(), sum: z.int() })
export type AuctionTotal = Infer<typeof AuctionTotal>

const PRICE_MIN = 1000

const Totals = record({ count: z.int(), sum: z.int() })
const totalState = { totals: valueState(Totals) }

type Price = { readonly auction: number; readonly price: number }

const addPrices: KeyedProcessFunction<number, Price, AuctionTotal, typeof totalState> = {
  output: AuctionTotal,
  state: totalState,
  processElement({ auction, price }, context, out) {
    const before = context.state.totals.value()
    const count = (before?.count ?? 0) + 1
    const sum = (before?.sum ?? 0) + price
    context.state.totals.update({ count, sum })
    out.collect({ auction, count, sum })
  },
}

/** Number and sum of the prices from 1000 on, per auction; one row per bid kept. */
export function auctionTotals(bids: DataStream<NexmarkBid>): DataStream<AuctionTotal> {
  return bids
    .flatMap<Price>((bid, out) => {
      if (bid.price >= PRICE_MIN) out.collect({ auction: bid.auction, price: bid.price })
    })
    .returns(record({ auction: z.int32(), price: z.int32() }))
    .keyBy(bid => bid.auction)
    .process(addPrices)
    .uid('add-prices')
}
