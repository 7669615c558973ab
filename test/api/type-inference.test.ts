/**
 * What the compiler infers for jobs: `tsc -p .` is the judge, the test only runs the same lines.
 */
import { expect, test } from '@jest/globals'
import {
  aggregatingState,
  type DataStream,
  type Infer,
  job,
  type KeySelector,
  listState,
  mapState,
  type OperatorStream,
  operatorListState,
  outputTag,
  record,
  reducingState,
  type StreamEnvironment,
  session,
  sliding,
  triggers,
  tumbling,
  valueState,
  watermarks,
  z,
} from 'weir'
import { fakeSink, fakeSource } from './fake-parts.ts'

type Equal<A, B> =
  (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false

/** Compiles only where both types are the same. */
function same<A, B>(equal: Equal<A, B>): void {
  expect(equal).toBe(true)
}

type ElementOf<S> = S extends DataStream<infer T> ? T : never
type KeyOf<S> = S extends { readonly keySelector: KeySelector<never, infer K> } ? K : never

const Txn = record({ account: z.string(), amount: z.number(), kind: z.enum(['IN', 'OUT']) })
type Txn = Infer<typeof Txn>
const Rate = record({ currency: z.string(), rate: z.number() })
type Rate = Infer<typeof Rate>

function txns(env: StreamEnvironment): OperatorStream<Txn> {
  return env.from(fakeSource(Txn)).uid('txns')
}

function rates(env: StreamEnvironment): OperatorStream<Rate> {
  return env.from(fakeSource(Rate)).uid('rates')
}

function inJob(check: (env: StreamEnvironment) => void): void {
  job(check).build()
}

test('a source gives its records, a strategy knows their type', () => {
  inJob(env => {
    const stream = env.from(fakeSource(Txn), w =>
      w.boundedOutOfOrderness('5s').timestamp(txn => {
        same<typeof txn, Txn>(true)
        return txn.amount
      }),
    )
    same<ElementOf<typeof stream>, Txn>(true)
    env.from(
      fakeSource(Txn),
      watermarks
        .boundedOutOfOrderness('5s')
        .timestamp((txn: Txn) => txn.amount)
        .idleness('1m')
        .aligned('sources', '10s'),
    )
    const untimed = env.from(fakeSource(Txn), watermarks.none())
    same<ElementOf<typeof untimed>, Txn>(true)
    const forRates = watermarks.monotonous().timestamp((rate: Rate) => rate.rate)
    // @ts-expect-error the strategy is for other records
    env.from(fakeSource(Txn), forRates)
  })
  expect.hasAssertions()
})

test('simple functions', () => {
  inJob(env => {
    const mapped = txns(env).map(txn => ({ id: txn.account, cents: txn.amount * 100 }))
    same<ElementOf<typeof mapped>, { id: string; cents: number }>(true)
    const narrowed = txns(env).filter(
      (txn): txn is Txn & { readonly kind: 'IN' } => txn.kind === 'IN',
    )
    same<ElementOf<typeof narrowed>['kind'], 'IN'>(true)
    const kept = txns(env).filter(txn => txn.amount > 0)
    same<ElementOf<typeof kept>, Txn>(true)
    const flat = txns(env).flatMap(txn => txn.account.split('-'))
    same<ElementOf<typeof flat>, string>(true)
    const collected = txns(env).flatMap<number>((txn, out) => out.collect(txn.amount))
    same<ElementOf<typeof collected>, number>(true)
    const union = txns(env).union(rates(env))
    same<ElementOf<typeof union>, Txn | Rate>(true)
    const asked = txns(env).asyncMap(async txn => txn.amount > 3, { timeout: '5s' })
    same<ElementOf<typeof asked>, boolean>(true)
    const typed = txns(env).map(txn => ({ currency: txn.account, rate: 1 }), Rate)
    same<ElementOf<typeof typed>, Rate>(true)
    // @ts-expect-error results do not fit the schema
    txns(env).map(txn => txn.account, Rate)
    txns(env).to(fakeSink<Txn>())
    // @ts-expect-error the sink is for other records
    txns(env).to(fakeSink<Rate>())
  })
})

test('keys keep their shape', () => {
  inJob(env => {
    const byAccount = txns(env).keyBy(txn => txn.account)
    same<KeyOf<typeof byAccount>, string>(true)
    const byBoth = txns(env).keyBy(txn => [txn.account, txn.amount])
    same<KeyOf<typeof byBoth>, readonly [string, number]>(true)
    // @ts-expect-error an object is no key
    txns(env).keyBy(txn => ({ account: txn.account }))
    // @ts-expect-error only numbers can be added up
    byAccount.sum('account')
    const added = byAccount.sum('amount')
    same<ElementOf<typeof added>, Txn>(true)
  })
})

test('a keyed function sees its declared states by name and type', () => {
  inJob(env => {
    const results = txns(env)
      .keyBy(txn => txn.account)
      .process({
        output: Rate,
        state: {
          last: valueState(z.number()),
          recent: listState(Txn),
          seen: mapState(z.string(), z.number()),
          total: reducingState((a, b) => a + b, z.number()),
          mean: aggregatingState({
            create: () => ({ n: 0, sum: 0 }),
            add: (value: number, acc) => ({ n: acc.n + 1, sum: acc.sum + value }),
            result: acc => `${acc.sum / acc.n}`,
          }),
        },
        processElement(txn, { state, key, timers, timestamp }, out) {
          same<typeof txn, Txn>(true)
          same<typeof key, string>(true)
          same<typeof timestamp, number | undefined>(true)
          const last: number | undefined = state.last.value()
          const recent: readonly Txn[] = state.recent.get()
          const seen: number | undefined = state.seen.get('x')
          const total: number | undefined = state.total.get()
          const mean: string | undefined = state.mean.get()
          // @ts-expect-error the state holds numbers
          state.last.update('x')
          // @ts-expect-error not declared
          state.other?.clear()
          timers.registerEventTimeTimer(last ?? recent.length + (seen ?? total ?? 0))
          out.collect({ currency: mean ?? '', rate: 1 })
          // @ts-expect-error not a Rate
          out.collect({ currency: 1 })
        },
        onTimer(_timestamp, { state, timeDomain }) {
          same<typeof timeDomain, 'event' | 'processing'>(true)
          state.last.clear()
        },
      })
    same<ElementOf<typeof results>, Rate>(true)
  })
})

test('a function without schema names its results at the collector', () => {
  inJob(env => {
    const results = txns(env)
      .keyBy(txn => txn.account)
      .process<number>({ processElement: (txn, _context, out) => out.collect(txn.amount) })
    same<ElementOf<typeof results>, number>(true)
    const plain = txns(env).process({
      output: z.string(),
      operatorState: { buffer: operatorListState(z.number(), 'union') },
      processElement(txn, context, out) {
        const buffered: readonly number[] = context.operatorState.buffer.get()
        out.collect(`${txn.account} ${buffered.length}`)
      },
    })
    same<ElementOf<typeof plain>, string>(true)
  })
})

test('windows', () => {
  inJob(env => {
    const late = outputTag('late', Txn)
    const windowed = txns(env)
      .keyBy(txn => txn.account)
      .window(sliding('5m', '30s'))
      .trigger(triggers.purging(triggers.count(3)))
      .allowedLateness('1m')
      .sideOutputLateData(late)
    const reduced = windowed.reduce((a, b) => (a.amount > b.amount ? a : b))
    same<ElementOf<typeof reduced>, Txn>(true)
    same<ElementOf<ReturnType<typeof reduced.getSideOutput<Txn>>>, Txn>(true)
    const means = windowed.aggregate(
      {
        create: () => ({ n: 0, sum: 0 }),
        add: (txn, acc) => ({ n: acc.n + 1, sum: acc.sum + txn.amount }),
        result: acc => acc.sum / acc.n,
      },
      (mean, { key, start, end }) => ({ account: key, mean, span: end - start }),
    )
    same<ElementOf<typeof means>, { account: string; mean: number; span: number }>(true)
    const lists = windowed.apply((elements, { key }) => [`${key}: ${elements.length}`])
    same<ElementOf<typeof lists>, string>(true)
    const processed = windowed.process({
      output: Rate,
      globalState: { fired: valueState(z.int()) },
      process(key, elements, context, out) {
        const fired: number | undefined = context.globalState.fired.value()
        out.collect({ currency: key, rate: (fired ?? 0) + elements.length })
      },
    })
    same<ElementOf<typeof processed>, Rate>(true)
    const both = windowed.aggregate(
      { create: () => 0, add: (_txn, n: number) => n + 1, result: n => n },
      {
        output: z.string(),
        process(key, [count], _context, out) {
          out.collect(`${key} ${count?.toFixed()}`)
        },
      },
    )
    same<ElementOf<typeof both>, string>(true)
    txns(env)
      .keyBy(txn => txn.account)
      .window(session(txn => (txn.kind === 'IN' ? '30m' : 1_000)))
      .reduce((a, _b) => a)
    txns(env)
      .windowAll(tumbling('1h', { offset: '-8h', time: 'processing' }))
      .trigger(triggers.delta(10, (a, b) => b.amount - a.amount))
      .maxBy('amount')
  })
})

test('two streams', () => {
  inJob(env => {
    const co = txns(env)
      .connect(rates(env))
      .process({
        output: z.string(),
        processElement1: (txn, _context, out) => out.collect(txn.account),
        processElement2: (rate, _context, out) => out.collect(rate.currency),
      })
    same<ElementOf<typeof co>, string>(true)
    const keyed = txns(env)
      .keyBy(txn => txn.account)
      .connect(rates(env).keyBy(rate => rate.currency))
      .process({
        output: z.number(),
        state: { rate: valueState(Rate) },
        processElement1: (txn, { state }, out) =>
          out.collect(txn.amount * (state.rate.value()?.rate ?? 1)),
        processElement2: (rate, { state }) => state.rate.update(rate),
      })
    same<ElementOf<typeof keyed>, number>(true)
    const enriched = txns(env)
      .keyBy(txn => txn.account)
      .connect(rates(env).broadcast())
      .process({
        output: z.string(),
        broadcast: { rates: mapState(z.string(), z.number()) },
        state: { seen: valueState(z.number()) },
        processElement(txn, { broadcast, state, key }, out) {
          const rate: number | undefined = broadcast.rates.get(txn.account)
          state.seen.update(rate ?? 0)
          // @ts-expect-error read-only on this side
          broadcast.rates.put?.('x', 1)
          out.collect(key)
        },
        processBroadcastElement(rate, context) {
          context.broadcast.rates.put(rate.currency, rate.rate)
          context.applyToKeyedState('seen', (key, seen) => {
            same<typeof key, string>(true)
            seen.update(0)
          })
        },
      })
    same<ElementOf<typeof enriched>, string>(true)
    const byAccount = txns(env).keyBy(txn => txn.account)
    const byRate = rates(env).keyBy(rate => rate.rate)
    // @ts-expect-error keys of different types do not meet
    byAccount.connect(byRate)
  })
})

test('joins', () => {
  inJob(env => {
    const joined = txns(env)
      .join(rates(env))
      .where(txn => txn.account)
      .equalTo(rate => rate.currency)
      .window(tumbling('1h'))
      .apply((txn, rate) => txn.amount * rate.rate)
    same<ElementOf<typeof joined>, number>(true)
    const grouped = txns(env)
      .coGroup(rates(env))
      .where(txn => txn.account)
      .equalTo(rate => rate.currency)
      .window(session('1h'))
      .apply<number>((left, right, out) => out.collect(left.length + right.length))
    same<ElementOf<typeof grouped>, number>(true)
    const near = txns(env)
      .keyBy(txn => txn.account)
      .intervalJoin(rates(env).keyBy(rate => rate.currency))
      .between('-5m', '1m')
      .lowerBoundExclusive()
      .process({
        output: z.number(),
        processPair(txn, rate, context, out) {
          out.collect(txn.amount * rate.rate + context.leftTimestamp)
        },
      })
    same<ElementOf<typeof near>, number>(true)
  })
})
