/** q8: who opened an auction within the ten seconds in which they registered. */
import { type AggregateFunction, type Infer, record, tumbling, z } from 'weir'

import { type NexmarkQuery, WINDOW_SIZE } from './nexmark-query.ts'

/** A new person, or an auction's seller (without a name). */
const Arrival = record({ id: z.int32(), name: z.string() })
type Arrival = Infer<typeof Arrival>

const Seen = record({ name: z.string(), sells: z.boolean() })
type Seen = Infer<typeof Seen>

const NewSeller = record({
  id: z.int32(),
  name: z.string(),
  windowStart: z.timestamp(),
  windowEnd: z.timestamp(),
})

const seen: AggregateFunction<Arrival, Seen, Seen> = {
  accumulator: Seen,
  output: Seen,
  create: () => ({ name: '', sells: false }),
  add: (arrival, { name, sells }) =>
    arrival.name === '' ? { name, sells: true } : { name: arrival.name, sells },
  result: accumulator => accumulator,
  merge: (a, b) => ({ name: a.name === '' ? b.name : a.name, sells: a.sells || b.sells }),
}

export const q8: NexmarkQuery = {
  name: 'q8',
  summary: 'finds persons who sell within the window of their arrival',
  build: events =>
    events
      .flatMap<Arrival>((event, out) => {
        if (event.kind === 'person') out.collect({ id: event.id, name: event.name })
        else if (event.kind === 'auction') out.collect({ id: event.seller, name: '' })
      })
      .returns(Arrival)
      .keyBy(arrival => arrival.id)
      .window(tumbling(WINDOW_SIZE))
      .aggregate(seen, {
        output: NewSeller,
        process(id, [person], { window }, out) {
          if (person === undefined || !person.sells || person.name === '') return
          const { start: windowStart, end: windowEnd } = window
          out.collect({ id, name: person.name, windowStart, windowEnd })
        },
      })
      .uid('new-sellers'),
}
