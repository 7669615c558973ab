/** Bids counted by bidder at a given rate, or as fast as can be. */
import { job, nexmarkBids, record, valueState, z } from 'weir'
import { countingSink, sampled } from './measure.ts'

const Counted = record({ bidder: z.int32(), count: z.int() })

export default job('counting', env => {
  const { args } = env
  const folder = args.get('report', 'report')
  const rate = args.int('rate', 0)
  const bids = nexmarkBids({
    count: args.int('records', 10_000_000),
    ring: 1_000_000,
    ...(rate > 0 ? { ratePerSecond: rate } : {}),
  })
  env
    .from(sampled(bids, folder))
    .uid('bids')
    .keyBy(bid => bid.bidder)
    .process({
      output: Counted,
      state: { count: valueState(z.int()) },
      processElement({ bidder }, { state }, out) {
        const count = (state.count.value() ?? 0) + 1
        state.count.update(count)
        out.collect({ bidder, count })
      },
    })
    .uid('count')
    .rebalance()
    .to(countingSink({ folder }))
    .uid('out')
})
