/**
 * cep: a cheap bid followed by two ever higher ones of the same bidder within ten seconds, relaxed
 * contiguity, every cheap bid starting a match of its own. Bids are put in order by event time
 * first.
 */
import { type Infer, type KeyedProcessFunction, mapState, record, valueState, z } from 'weir'

import type { NexmarkQuery } from './nexmark-query.ts'

const CHEAP = 1000
const WITHIN_MS = 10_000

const Bid = record({ bidder: z.int32(), n: z.int(), price: z.int32(), at: z.timestamp() })
type Bid = Infer<typeof Bid>

/** A started match: `b` is absent until a higher bid came. */
const Partial = record({
  a: z.int(),
  aPrice: z.int32(),
  at: z.timestamp(),
  b: z.int().optional(),
  bPrice: z.int32().optional(),
})
type Partial = Infer<typeof Partial>

const RisingPrices = record({
  bidder: z.int32(),
  a: z.int(),
  b: z.int(),
  c: z.int(),
  aPrice: z.int32(),
  bPrice: z.int32(),
  cPrice: z.int32(),
})
type RisingPrices = Infer<typeof RisingPrices>

const state = {
  /** Bids that the watermark has not passed, by time. */
  queue: mapState(z.timestamp(), z.array(Bid.zod)),
  partials: valueState(z.array(Partial.zod)),
}

const matchRisingPrices: KeyedProcessFunction<number, Bid, RisingPrices, typeof state> = {
  output: RisingPrices,
  state,
  processElement(bid, context) {
    const { queue } = context.state
    const waiting = queue.get(bid.at)
    if (waiting === undefined) context.timers.registerEventTimeTimer(bid.at)
    queue.put(bid.at, waiting === undefined ? [bid] : [...waiting, bid])
  },
  onTimer(timestamp, context, out) {
    const { queue, partials } = context.state
    const bids = [...(queue.get(timestamp) ?? [])].sort((x, y) => x.n - y.n)
    queue.remove(timestamp)
    let open = partials.value() ?? []
    for (const bid of bids) {
      const next: Partial[] = []
      for (const partial of open) {
        if (bid.at - partial.at >= WITHIN_MS) continue
        const advanced = advance(partial, bid)
        if (advanced === undefined) out.collect(match(partial, bid))
        else next.push(advanced)
      }
      if (bid.price < CHEAP) next.push({ a: bid.n, aPrice: bid.price, at: bid.at })
      open = next
    }
    if (open.length === 0) partials.clear()
    else partials.update(open)
  },
}

/** The match after this bid; `undefined` when the bid completes it. */
function advance(partial: Partial, bid: Bid): Partial | undefined {
  if (partial.bPrice === undefined) {
    return bid.price > partial.aPrice ? { ...partial, b: bid.n, bPrice: bid.price } : partial
  }
  return bid.price > partial.bPrice ? undefined : partial
}

function match(partial: Partial, c: Bid): RisingPrices {
  const { a, b = 0, aPrice, bPrice = 0 } = partial
  return { bidder: c.bidder, a, b, c: c.n, aPrice, bPrice, cPrice: c.price }
}

export const cep: NexmarkQuery = {
  name: 'cep',
  summary: 'finds three rising bids of a bidder within ten seconds',
  build: events =>
    events
      .flatMap<Bid>((event, out) => {
        if (event.kind !== 'bid') return
        out.collect({
          bidder: event.bidder,
          n: event.n,
          price: event.price,
          at: event.dateTime,
        })
      })
      .returns(Bid)
      .keyBy(bid => bid.bidder)
      .process(matchRisingPrices)
      .uid('rising-prices'),
}
