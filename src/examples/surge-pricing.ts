/**
 * Surge pricing: rides by geo hash, the number of requests and their average wait over five
 * minutes, told every thirty seconds, and the price multiplier that follows from them.
 */
import {
  type AggregateFunction,
  datagen,
  fileSink,
  fileSource,
  type Infer,
  job,
  json,
  oneOf,
  record,
  type Source,
  sequence,
  sliding,
  timestamps,
  uniform,
  watermarks,
  z,
} from 'weir'

const Ride = record({
  ride: z.int(),
  geohash: z.string(),
  /** Seconds until a driver came. */
  waitSeconds: z.number(),
  requestedAt: z.timestamp(),
})
type Ride = Infer<typeof Ride>

const Surge = record({
  geohash: z.string(),
  start: z.timestamp({ json: 'iso' }),
  end: z.timestamp({ json: 'iso' }),
  rides: z.int32(),
  averageWaitSeconds: z.number(),
  multiplier: z.number(),
})

const Demand = record({ rides: z.int32(), waitSeconds: z.number() })
type Demand = Infer<typeof Demand>

const demand: AggregateFunction<Ride, Demand, Demand> = {
  accumulator: Demand,
  output: Demand,
  create: () => ({ rides: 0, waitSeconds: 0 }),
  add(ride, sum) {
    sum.rides += 1
    sum.waitSeconds += ride.waitSeconds
    return sum
  },
  result: sum => sum,
  merge(a, b) {
    a.rides += b.rides
    a.waitSeconds += b.waitSeconds
    return a
  },
}

/** From 1 (a driver within two minutes) to 3; busy places rise faster. */
export function surgeMultiplier(rides: number, averageWaitSeconds: number): number {
  const waiting = Math.max(0, averageWaitSeconds - 120) / 240
  const busy = Math.min(1, rides / 500)
  return Math.min(3, Math.round((1 + waiting * (0.5 + busy)) * 10) / 10)
}

const GEOHASHES = ['u33db', 'u33dc', 'u33d8', 'u33d9', 'u33d2', 'u33d3', 'u336x', 'u336r']

export default job('surge-pricing', env => {
  const input = env.args.get('input')
  const rides: Source<Ride> =
    input === undefined
      ? datagen({
          type: Ride,
          rows: env.args.int('rides', 200_000),
          seed: env.args.int('seed', 1),
          fields: {
            ride: sequence(),
            geohash: oneOf(GEOHASHES),
            waitSeconds: uniform(20, 600),
            requestedAt: timestamps({ start: '2026-01-01T00:00:00Z', every: 50 }),
          },
        })
      : fileSource({ path: input, format: json(Ride) })
  env
    .from(
      rides,
      watermarks.boundedOutOfOrderness('5s').timestamp(ride => ride.requestedAt),
    )
    .uid('rides')
    .keyBy(ride => ride.geohash)
    .window(sliding('5m', '30s'))
    .aggregate(demand, {
      output: Surge,
      process(geohash, [sum], { window: { start, end } }, out) {
        if (sum === undefined) return
        const averageWaitSeconds = sum.waitSeconds / sum.rides
        const multiplier = surgeMultiplier(sum.rides, averageWaitSeconds)
        out.collect({ geohash, start, end, rides: sum.rides, averageWaitSeconds, multiplier })
      },
    })
    .uid('demand')
    .to(
      fileSink({
        path: env.args.get('output', 'out/surge-pricing'),
        format: json(Surge),
        onExisting: 'replace',
      }),
    )
    .uid('surge')
})
