/**
 * Delays by airport: how late the flights from each airport were over six hours, told every hour.
 * The input is a Parquet file of three million flights; the result is one JSON line per airport and
 * window.
 */
import {
  type AggregateFunction,
  fileSink,
  fileSource,
  type Infer,
  job,
  json,
  parquet,
  record,
  sliding,
  watermarks,
  z,
} from 'weir'

export const Flight = record({
  date: z.timestamp(),
  /** Minutes; negative when early. */
  delay: z.int32(),
  distance: z.int32(),
  origin: z.string(),
  destination: z.string(),
})
type Flight = Infer<typeof Flight>

export const AirportDelays = record({
  origin: z.string(),
  start: z.timestamp({ json: 'iso' }),
  end: z.timestamp({ json: 'iso' }),
  flights: z.int32(),
  totalDelay: z.int32(),
  maxDelay: z.int32(),
  meanDelay: z.number(),
})

const Delays = record({ flights: z.int32(), totalDelay: z.int32(), maxDelay: z.int32() })
type Delays = Infer<typeof Delays>

/** It merges, so the six windows of a flight share one accumulator an hour. */
const delays: AggregateFunction<Flight, Delays, Delays> = {
  accumulator: Delays,
  output: Delays,
  create: () => ({ flights: 0, totalDelay: 0, maxDelay: Number.MIN_SAFE_INTEGER }),
  add(flight, sum) {
    sum.flights += 1
    sum.totalDelay += flight.delay
    sum.maxDelay = Math.max(sum.maxDelay, flight.delay)
    return sum
  },
  result: sum => sum,
  merge(a, b) {
    a.flights += b.flights
    a.totalDelay += b.totalDelay
    a.maxDelay = Math.max(a.maxDelay, b.maxDelay)
    return a
  },
}

const FLIGHTS = 'package:vega-datasets/data/flights-3m.parquet'

export default job('flight-delays', env => {
  const flights = fileSource({ path: env.args.get('input', FLIGHTS), format: parquet(Flight) })
  env
    .from(
      flights,
      watermarks.monotonous().timestamp(flight => flight.date),
    )
    .uid('flights')
    .keyBy(flight => flight.origin)
    .window(sliding('6h', '1h'))
    .aggregate(delays, {
      output: AirportDelays,
      process(origin, [sum], { window: { start, end } }, out) {
        if (sum === undefined) return
        const { flights, totalDelay, maxDelay } = sum
        const meanDelay = totalDelay / flights
        out.collect({ origin, start, end, flights, totalDelay, maxDelay, meanDelay })
      },
    })
    .uid('delays-by-airport')
    .to(
      fileSink({
        path: env.args.get('output', 'out/flight-delays'),
        format: json(AirportDelays),
        onExisting: 'replace',
      }),
    )
    .uid('delays')
})
