/**
 * The keyed function of the all-round job: every kind of keyed state, event-time and
 * processing-time timers, side outputs. It sees each split's records of a key in their order, or
 * says so.
 */
import {
  aggregatingState,
  type KeyedContext,
  type KeyedProcessFunction,
  listState,
  mapState,
  outputTag,
  reducingState,
  summing,
  valueState,
  z,
} from 'weir'
import { Row } from './ledger-sink.ts'
import { FAR_FUTURE, hashOf, type Ordered } from './ordering-input.ts'
import { resultTag } from './result.ts'
import { rowByKey } from './row-of.ts'

/** Every other record of a split and key. */
export const oddTag = outputTag('odd', Row)

export const TIMER_MS = 1_000
const PULSE_MS = 100
const RECENT = 4

const states = {
  /** Split -> the ordinal that comes next. */
  next: mapState(z.int32(), z.int32()),
  seen: valueState(z.int()),
  largest: reducingState((a: number, b: number) => Math.max(a, b), z.int32()),
  hashes: aggregatingState(summing((one: Ordered) => hashOf(one))),
  /** The last few values. */
  recent: listState(z.int32()),
  /** Records since the last processing-time timer. */
  pulse: valueState(z.int()),
}
type Context = KeyedContext<number, typeof states>

export const orderedKeys: KeyedProcessFunction<number, Ordered, Row, typeof states> = {
  output: Row,
  state: states,
  processElement(one, context, out) {
    const { state, timers } = context
    const expected = state.next.get(one.split) ?? 0
    if (one.ordinal !== expected) report(context, 'disorder', one.ordinal - expected)
    state.next.put(one.split, one.ordinal + 1)
    remember(one, context)
    timers.registerEventTimeTimer((Math.floor(one.at / TIMER_MS) + 2) * TIMER_MS)
    timers.registerEventTimeTimer(FAR_FUTURE)
    timers.registerProcessingTimeTimer(
      (Math.floor(timers.currentProcessingTime() / PULSE_MS) + 2) * PULSE_MS,
    )
    const row = rowByKey('keyed', one)
    out.collect(row)
    if (one.ordinal % 2 === 1) {
      context.output(oddTag, { ...row, path: 'odd', ordinal: (one.ordinal - 1) / 2 })
    }
  },
  onTimer(timestamp, context) {
    const { state, key, timeDomain } = context
    if (timeDomain === 'processing') {
      pulse(context)
    } else if (timestamp < FAR_FUTURE) {
      const result = { kind: 'timer', key, from: timestamp, to: timestamp, count: 1, sum: 0 }
      context.output(resultTag, result)
    } else {
      pulse(context)
      const count = state.seen.value() ?? 0
      const sum = state.hashes.get() ?? 0
      const largest = state.largest.get() ?? 0
      context.output(resultTag, { kind: 'total', key, from: largest, to: 0, count, sum })
    }
  },
}

/** Keeps all states in step with each other, and says when they are not. */
function remember(one: Ordered, context: Context): void {
  const { state } = context
  const seen = state.seen.value() ?? 0
  const recent = state.recent.get()
  if (recent.length !== Math.min(seen, RECENT)) report(context, 'list-state', recent.length)
  let nexts = 0
  for (const next of state.next.values()) nexts += next
  if (nexts !== seen + 1) report(context, 'map-state', nexts - seen - 1)
  state.seen.update(seen + 1)
  state.recent.update([...recent.slice(-RECENT + 1), one.value])
  state.largest.add(one.value)
  state.hashes.add(one)
  state.pulse.update((state.pulse.value() ?? 0) + 1)
}

function pulse(context: Context): void {
  const { state, key } = context
  const count = state.pulse.value() ?? 0
  if (count > 0) context.output(resultTag, { kind: 'pulse', key, from: 0, to: 0, count, sum: 0 })
  state.pulse.clear()
}

/** `by`: how far off it was. */
function report(context: Context, kind: string, by: number): void {
  context.output(resultTag, { kind, key: context.key, from: 0, to: 0, count: 1, sum: by })
}
