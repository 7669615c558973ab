/** q5: the auctions with the most bids of the last ten seconds, every two seconds, ties kept. */
import {
  counting,
  type Infer,
  type KeyedProcessFunction,
  record,
  sliding,
  valueState,
  z,
} from 'weir'

import type { NexmarkQuery } from './nexmark-query.ts'

const SIZE_MS = 10_000

const AuctionCount = record({ windowEnd: z.timestamp(), auction: z.int32(), num: z.int32() })
type AuctionCount = Infer<typeof AuctionCount>

const HotItem = record({
  windowStart: z.timestamp(),
  windowEnd: z.timestamp(),
  auction: z.int32(),
  num: z.int32(),
})
type HotItem = Infer<typeof HotItem>

const state = {
  best: valueState(record({ num: z.int32(), auctions: z.array(z.int32()) })),
}

/** Keeps the best of a window until the watermark says that all its counts have come. */
const keepBest: KeyedProcessFunction<number, AuctionCount, HotItem, typeof state> = {
  output: HotItem,
  state,
  processElement(count, context) {
    const best = context.state.best.value()
    if (best === undefined) context.timers.registerEventTimeTimer(count.windowEnd - 1)
    if (best === undefined || count.num > best.num) {
      context.state.best.update({ num: count.num, auctions: [count.auction] })
    } else if (count.num === best.num) {
      context.state.best.update({ num: best.num, auctions: [...best.auctions, count.auction] })
    }
  },
  onTimer(_timestamp, context, out) {
    const best = context.state.best.value()
    const windowEnd = context.key
    for (const auction of best?.auctions ?? []) {
      out.collect({ windowStart: windowEnd - SIZE_MS, windowEnd, auction, num: best?.num ?? 0 })
    }
    context.state.best.clear()
  },
}

export const q5: NexmarkQuery = {
  name: 'q5',
  summary: 'finds the auctions with the most bids in sliding windows',
  build: events =>
    events
      .flatMap<number>((event, out) => {
        if (event.kind === 'bid') out.collect(event.auction)
      })
      .returns(z.int32())
      .keyBy(auction => auction)
      .window(sliding(SIZE_MS, '2s'))
      .aggregate(counting<number>(), {
        output: AuctionCount,
        process(auction, [num = 0], { window }, out) {
          out.collect({ windowEnd: window.end, auction, num })
        },
      })
      .uid('count-bids')
      .keyBy(count => count.windowEnd)
      .process(keepBest)
      .uid('keep-best'),
}
