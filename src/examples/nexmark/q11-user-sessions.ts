/** q11: how many bids each bidder made before pausing for ten seconds. */
import { counting, record, session, z } from 'weir'

import { type NexmarkQuery, WINDOW_SIZE } from './nexmark-query.ts'

const UserSession = record({
  bidder: z.int32(),
  count: z.int32(),
  start: z.timestamp(),
  end: z.timestamp(),
})

export const q11: NexmarkQuery = {
  name: 'q11',
  summary: 'counts the bids of each bidder by session',
  build: events =>
    events
      .flatMap<number>((event, out) => {
        if (event.kind === 'bid') out.collect(event.bidder)
      })
      .returns(z.int32())
      .keyBy(bidder => bidder)
      .window(session(WINDOW_SIZE))
      .aggregate(counting<number>(), {
        output: UserSession,
        process(bidder, [count = 0], { window }, out) {
          out.collect({ bidder, count, start: window.start, end: window.end })
        },
      })
      .uid('sessions'),
}
