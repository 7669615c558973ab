/**
 * One job with everything in it: each kind of edge, state, timer and window, two sources that are
 * joined and one that is broadcast, asynchronous calls, and two exactly-once sinks. What it must
 * give follows from its input; `check-output.ts` knows how.
 */
import { setTimeout as pause } from 'node:timers/promises'
import {
  type AggregateFunction,
  type DataStream,
  datagen,
  fileSink,
  type JobArguments,
  job,
  json,
  mapState,
  record,
  sequence,
  session,
  tumbling,
  valueState,
  watermarks,
  z,
} from 'weir'
import { ledgerSink, Row } from './ledger-sink.ts'
import { oddTag, orderedKeys } from './ordered-keys.ts'
import {
  BURST_RECORDS,
  DISORDER_MS,
  FAR_FUTURE,
  hashOf,
  Ordered,
  verifyHeader,
} from './ordering-input.ts'
import { orderingSource } from './ordering-source.ts'
import { Result, resultTag } from './result.ts'
import { rowBySplit } from './row-of.ts'
import { ticketing } from './ticketing.ts'

export const WINDOW_MS = 1_000
export const SESSION_GAP_MS = 300
/**
 * Of so many records these ways take one. All of them lead over edges on which no barrier overtakes
 * data, or through one subtask: with less to do they do not hold the others up.
 */
export const STEPS = { rescaled: 4, called: 4, global: 8, copies: 16 } as const

const Rule = record({ id: z.int32(), worth: z.int32() })

/** The second source has its own seed, and fewer splits over the same time. */
export function plansOf(args: JobArguments) {
  const seed = args.int('seed', 1)
  const splits = args.int('splits', 12)
  const records = args.int('records', 1_000)
  const splitMs = Math.ceil(records / BURST_RECORDS) * 6_000
  const side = { splits: Math.ceil(splits / 4), records: Math.ceil(records / 2) }
  return {
    main: { seed, splits, records, splitMs },
    side: { seed: seed + 1_000, ...side, splitMs: splitMs * 4 },
    rules: args.int('rules', 20),
  }
}

/** Count and sum of hashes: what windows hold. */
const tally: AggregateFunction<Ordered, { count: number; sum: number }, Tally> = {
  accumulator: z.object({ count: z.int(), sum: z.int() }),
  output: z.object({ count: z.int(), sum: z.int() }),
  create: () => ({ count: 0, sum: 0 }),
  add: (one, { count, sum }) => ({ count: count + 1, sum: sum + hashOf(one) }),
  result: accumulator => accumulator,
  merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
}
type Tally = { readonly count: number; readonly sum: number }

interface Streams {
  readonly main: DataStream<Ordered>
  readonly side: DataStream<Ordered>
  readonly rules: DataStream<{ id: number; worth: number }>
  readonly parallelism: number
}

export default job('all-round', env => {
  const { args, parallelism } = env
  const plans = plansOf(args)
  const rate = args.int('rate', 0)
  const times = watermarks
    .boundedOutOfOrderness(DISORDER_MS)
    .idleness(0)
    .timestamp((one: Ordered) => one.at)
  const main = env
    .from(orderingSource({ plan: plans.main, rate, name: 'main' }), times)
    .uid('main')
    .map(verifyHeader, Ordered)
    .name('verify')
  const side = env
    .from(orderingSource({ plan: plans.side, rate: Math.ceil(rate / 4), name: 'side' }), times)
    .uid('side')
  const rules = env
    .from(
      datagen({
        type: Rule,
        rows: plans.rules,
        ratePerSecond: args.int('rulesRate', 10),
        fields: { id: sequence(), worth: n => (n * 37) % 101 },
      }),
    )
    .uid('rule-source')
  const streams = { main, side, rules, parallelism }
  const keyed = main
    .keyBy(one => one.key)
    .process(orderedKeys)
    .uid('ordered-keys')
  plainWays(streams)
    .union(keyed, keyed.getSideOutput(oddTag))
    .partitionCustom(row => row.part, partOwner)
    .to(
      ledgerSink({ folder: `${args.get('output', 'out')}/ledger`, rate: args.int('sinkRate', 0) }),
    )
    .uid('ledger')
  timedResults(streams)
    .union(keyed.getSideOutput(resultTag))
    .to(
      fileSink({
        path: `${args.get('output', 'out')}/results`,
        format: json(Result),
        onExisting: 'replace',
      }),
    )
    .uid('results')
})

/** The rows of a part stay in their order: one subtask of the sink gets them all. */
function partOwner(part: string, partitions: number): number {
  let hash = 0
  for (let i = 0; i < part.length; i++) hash = (hash * 31 + part.charCodeAt(i)) >>> 0
  return hash % partitions
}

/** Ways without keys: records come out as they went in, or in another order. */
function plainWays({ main, parallelism }: Streams): DataStream<Row> {
  const rescaled = main
    .filter(one => one.seq % STEPS.rescaled === 0)
    .rescale()
    .map(one => rowBySplit('rescaled', one, STEPS.rescaled), Row)
    .name('rescaled')
    .setParallelism(Math.ceil(parallelism / 2))
  const awaited = main
    .shuffle()
    .asyncMap(answer, { ordered: false, capacity: 50, output: Ordered })
    .uid('unordered-calls')
    .map(one => rowBySplit('shuffled', one), Row)
  const global = main
    .filter(one => one.seq % STEPS.global === 0)
    .global()
    .map(one => rowBySplit('global', one, STEPS.global), Row)
    .name('global')
  const custom = main
    .partitionCustom(
      one => one.split,
      (split, partitions) => split % partitions,
    )
    .map(one => rowBySplit('custom', one), Row)
    .name('custom')
  const called = main
    .filter(one => one.seq % STEPS.called === 0)
    .forward()
    .map(verifyHeader, Ordered)
    .startNewChain()
    .asyncMap(answer, { capacity: 20, output: Ordered })
    .uid('ordered-calls')
    .map(one => rowBySplit('called', one, STEPS.called), Row)
  const copies = main
    .filter(one => one.seq % STEPS.copies === 0)
    .broadcast()
    .process<Row>({
      output: Row,
      processElement(one, { runtime }, out) {
        const row = rowBySplit('copies', one, STEPS.copies)
        out.collect({ ...row, part: `${row.part}.${runtime.subtaskIndex}` })
      },
    })
    .name('copies')
  const tickets = main.rebalance().process(ticketing).uid('tickets')
  return tickets.union(rescaled, awaited, called, global, custom, copies)
}

/** A service that takes its time. */
async function answer(one: Ordered, signal: AbortSignal): Promise<Ordered> {
  if (one.value % 16 === 0) await pause(one.value % 7, undefined, { signal })
  return one
}

/** Windows, two inputs that share state, and broadcast state. */
function timedResults({ main, side, rules }: Streams): DataStream<Result> {
  const both = main.union(side).keyBy(one => one.key)
  const tumblings = both
    .window(tumbling(WINDOW_MS))
    .aggregate(tally, ({ count, sum }, { key, start, end }): Result => {
      return { kind: 'tumbling', key, from: start, to: end, count, sum }
    })
    .uid('tumbling')
    .returns(Result)
  const sessions = main
    .keyBy(one => one.key)
    .window(session(SESSION_GAP_MS))
    .aggregate(tally, ({ count, sum }, { key, start, end }): Result => {
      return { kind: 'session', key, from: start, to: end, count, sum }
    })
    .uid('sessions')
    .returns(Result)
  return tumblings.union(sessions, pairResults({ main, side }), ruleResults({ main, rules }))
}

const pairStates = { left: valueState(tally.accumulator), right: valueState(tally.accumulator) }

/** Two keyed inputs that fill one state; at the end of time it is told. */
function pairResults({ main, side }: Pick<Streams, 'main' | 'side'>): DataStream<Result> {
  const empty = { count: 0, sum: 0 }
  return main
    .keyBy(one => one.key)
    .connect(side.keyBy(one => one.key))
    .process<Result, typeof pairStates>({
      output: Result,
      state: pairStates,
      processElement1(one, { state, timers }) {
        state.left.update(tally.add(one, state.left.value() ?? empty))
        timers.registerEventTimeTimer(FAR_FUTURE)
      },
      processElement2(one, { state, timers }) {
        state.right.update(tally.add(one, state.right.value() ?? empty))
        timers.registerEventTimeTimer(FAR_FUTURE)
      },
      onTimer(_timestamp, { state, key }, out) {
        const left = state.left.value() ?? empty
        const right = state.right.value() ?? empty
        out.collect({ kind: 'left', key, from: 0, to: 0, ...left })
        out.collect({ kind: 'right', key, from: 0, to: 0, ...right })
      },
    })
    .uid('pairs')
}

const ruleStates = { most: valueState(z.int32()) }

/** No subtask may ever know fewer rules than before, and all of them know all at the end. */
function ruleResults({ main, rules }: Pick<Streams, 'main' | 'rules'>): DataStream<Result> {
  return main
    .keyBy(one => one.key)
    .connect(rules.broadcast())
    .process<Result, { rules: ReturnType<typeof mapState<number, number>> }, typeof ruleStates>({
      output: Result,
      broadcast: { rules: mapState(z.int32(), z.int32()) },
      state: ruleStates,
      processElement(_one, { key, state, broadcast, timers }, out) {
        const known = [...broadcast.rules.keys()].length
        const before = state.most.value() ?? 0
        if (known < before) {
          out.collect({ kind: 'forgotten', key, from: 0, to: 0, count: before, sum: known })
        }
        state.most.update(Math.max(known, before))
        timers.registerEventTimeTimer(FAR_FUTURE)
      },
      processBroadcastElement({ id, worth }, { broadcast }) {
        broadcast.rules.put(id, worth)
      },
      onTimer(_timestamp, { key, broadcast }, out) {
        const worths = [...broadcast.rules.values()]
        const sum = worths.reduce((all, one) => all + one, 0)
        out.collect({ kind: 'rules', key, from: 0, to: 0, count: worths.length, sum })
      },
    })
    .uid('rules')
}
