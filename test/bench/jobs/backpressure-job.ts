/**
 * A sink that cannot keep up behind two shuffles: bids as fast as they can be made, counted by
 * bidder, dealt out, and written at `sinkRate` rows a second in all.
 */
import { job, NexmarkBid, nexmarkEvents, valueState, watermarks, z } from 'weir'
import { countingSink } from './measure.ts'

export default job('backpressure', env => {
  const { args } = env
  env
    .from(
      nexmarkEvents({ count: Number.MAX_SAFE_INTEGER }),
      watermarks.boundedOutOfOrderness('4s').timestamp(event => event.dateTime),
    )
    .uid('events')
    .flatMap((event, out) => {
      if (event.kind === 'bid') out.collect(event)
    }, NexmarkBid)
    .keyBy(bid => bid.bidder)
    .process({
      output: NexmarkBid,
      state: { count: valueState(z.int()) },
      processElement(bid, { state }, out) {
        state.count.update((state.count.value() ?? 0) + 1)
        out.collect(bid)
      },
    })
    .uid('count')
    .rebalance()
    .to(
      countingSink({
        folder: args.get('report', 'report'),
        rate: args.int('sinkRate', 10_000),
      }),
    )
    .uid('slow')
})
