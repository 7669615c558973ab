/**
 * The examples of the API's docstrings: each stands here too, so that the compiler checks it and a
 * job is built of it; the last test holds the two against each other.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import {
  combining,
  counting,
  type Infer,
  type Job,
  job,
  mapState,
  outputTag,
  record,
  type StreamEnvironment,
  sliding,
  summing,
  tumbling,
  valueState,
  watermarks,
  z,
} from 'weir'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { fakeSink, fakeSource } from './fake-parts.ts'

const Order = record({ customer: z.string(), amount: z.number(), at: z.timestamp() })
type Order = Infer<typeof Order>
const Cents = record({ customer: z.string(), cents: z.number() })
const Customer = record({ id: z.string(), city: z.string() })
const Limit = record({ customer: z.string(), amount: z.number() })
const Click = record({ customer: z.string(), page: z.string() })
const lateOrders = outputTag('late', Order)
const orderSource = fakeSource(Order)
const orderSink = fakeSink<Order>()
const centsSink = fakeSink<Infer<typeof Cents>>()
const scoreOf = async (_customer: string, _signal: AbortSignal) => 1

function streams(env: StreamEnvironment) {
  return {
    orders: env.from(orderSource).uid('orders'),
    customers: env.from(fakeSource(Customer)).uid('customers'),
    limits: env.from(fakeSource(Limit)).uid('limits'),
    clicks: env.from(fakeSource(Click)).uid('clicks'),
  }
}

const examples: Record<string, Job> = {
  DataStream: job(env => {
    const { orders } = streams(env)
    orders
      .filter(order => order.amount > 0)
      .map(order => ({ customer: order.customer, cents: order.amount * 100 }), Cents)
      .to(centsSink)
  }),
  AsyncMapOptions: job(env => {
    const { orders } = streams(env)
    orders
      .asyncMap((order, signal) => scoreOf(order.customer, signal), {
        ordered: false,
        timeout: '5s',
        capacity: 200,
        retry: { maxAttempts: 3, delay: '100ms', backoff: 2 },
        output: z.number(),
      })
      .uid('scores')
  }),
  KeyedStream: job(env => {
    const { orders } = streams(env)
    orders
      .keyBy(order => order.customer)
      .process({
        output: z.string(),
        state: { orders: valueState(z.int32(), { ttl: { ttlMs: 86_400_000 } }) },
        processElement(_order, { key, state, timers, timestamp }, out) {
          const orders = (state.orders.value() ?? 0) + 1
          state.orders.update(orders)
          if (orders === 1) timers.registerEventTimeTimer((timestamp ?? 0) + 60_000)
          if (orders === 10) out.collect(key)
        },
        onTimer(_timestamp, { state }) {
          state.orders.clear()
        },
      })
      .uid('eager-customers')
  }),
  WindowedStream: job(env => {
    const { orders } = streams(env)
    orders
      .keyBy(order => order.customer)
      .window(sliding('1h', '5m'))
      .allowedLateness('10m')
      .sideOutputLateData(lateOrders)
      .aggregate(
        combining({ orders: counting(), spent: summing(order => order.amount) }),
        ({ orders, spent }, { key, end }) => ({ customer: key, end, mean: spent / orders }),
      )
      .uid('spending')
  }),
  KeyedConnectedStreams: job(env => {
    const { orders, customers } = streams(env)
    orders
      .keyBy(order => order.customer)
      .connect(customers.keyBy(customer => customer.id))
      .process({
        output: z.string(),
        state: { city: valueState(z.string()) },
        processElement1: (_order, { state }, out) => out.collect(state.city.value() ?? 'unknown'),
        processElement2: (customer, { state }) => state.city.update(customer.city),
      })
      .uid('cities')
  }),
  KeyedBroadcastConnectedStream: job(env => {
    const { orders, limits } = streams(env)
    orders
      .keyBy(order => order.customer)
      .connect(limits.broadcast())
      .process({
        output: z.string(),
        broadcast: { limits: mapState(z.string(), z.number()) },
        processElement(order, { broadcast }, out) {
          const limit = broadcast.limits.get(order.customer)
          if (limit !== undefined && order.amount > limit) out.collect(order.customer)
        },
        processBroadcastElement(limit, { broadcast }) {
          broadcast.limits.put(limit.customer, limit.amount)
        },
      })
      .uid('over-limit')
  }),
  PairedStreams: job(env => {
    const { orders, customers } = streams(env)
    orders
      .join(customers)
      .where(order => order.customer)
      .equalTo(customer => customer.id)
      .window(tumbling('1h'))
      .apply((order, customer) => ({ city: customer.city, amount: order.amount }))
      .uid('orders-by-city')
  }),
  IntervalJoin: job(env => {
    const { orders, clicks } = streams(env)
    orders
      .keyBy(order => order.customer)
      .intervalJoin(clicks.keyBy(click => click.customer))
      .between('-10m', 0)
      .upperBoundExclusive()
      .process({
        output: z.string(),
        processPair(order, click, _context, out) {
          out.collect(`${click.page} ${order.amount}`)
        },
      })
      .uid('clicks-before-orders')
  }),
  WatermarkChoice: job(env => {
    env
      .from(orderSource, w =>
        w
          .boundedOutOfOrderness('5s')
          .timestamp(order => order.at)
          .idleness('30s'),
      )
      .uid('orders')
  }),
  watermarks: job(env => {
    env
      .from(
        orderSource,
        watermarks
          .boundedOutOfOrderness('5s')
          .idleness('30s')
          .timestamp(order => order.at),
      )
      .uid('orders')
  }),
}

const spending = job('spending', env => {
  env
    .from(orderSource, w => w.monotonous().timestamp(order => order.at))
    .uid('orders')
    .keyBy(order => order.customer)
    .window(tumbling('1h'))
    .sum('amount')
    .uid('spending')
    .to(orderSink)
})

test.each(Object.entries({ ...examples, spending }))('%s', (_name, example) => {
  expect(() => planJob(example)).not.toThrow()
})

test('each example of a docstring stands in this file', () => {
  const folder = join(import.meta.dirname, '../../src/api')
  const here = plain(readFileSync(import.meta.filename, 'utf8'))
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .flatMap(file => examplesOf(readFileSync(join(folder, file), 'utf8')))
  expect(found.length).toBeGreaterThanOrEqual(Object.keys(examples).length)
  for (const example of found) expect(here).toContain(plain(example))
})

function examplesOf(source: string): readonly string[] {
  const blocks = source.matchAll(/^ *\* ```ts\n([\s\S]*?)^ *\* ```$/gm)
  return [...blocks].map(([, block]) => (block ?? '').replaceAll(/^ *\* ?/gm, ''))
}

/** Without what the formatter may change. */
function plain(text: string): string {
  return text.replaceAll(/\s+/g, '').replaceAll(/,(?=[)}\]])/g, '')
}
