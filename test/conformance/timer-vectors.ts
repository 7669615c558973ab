/** The keyed process function of the suites `timers` and `rescale`. */
import type { KeyedContext, KeyedProcessFunction, OnTimerContext } from '../../src/api/functions.ts'
import { type ValueStateDescriptor, valueState } from '../../src/api/state-descriptor.ts'
import type { OperatorHarness } from '../../src/testing/operator-harness.ts'
import { type Op, type Row, runSharedOp, timeOf, timeRow, timestampRow } from './vectors.ts'

type Domain = 'E' | 'P'

type Action = Readonly<
  | [kind: 'reg' | 'del', domain: Domain, time: number]
  | [kind: 'set' | 'add', n: number]
  | [kind: 'clear' | 'emit']
  | [kind: 'chain', domain: Domain, delta: number, n: number]
  | [kind: 'cut', domain: Domain, delta: number]
>

export interface TimerElement {
  readonly key: string
  readonly id: number
  readonly actions: readonly Action[]
}

interface Chain {
  readonly domain: Domain
  readonly delta: number
  readonly left: number
}

interface Cut {
  readonly domain: Domain
  readonly delta: number
}

type Declared = {
  readonly v: ValueStateDescriptor<number>
  readonly chain: ValueStateDescriptor<Chain>
  readonly cut: ValueStateDescriptor<Cut>
}
type Context = KeyedContext<string, Declared>

function register(context: Context, domain: Domain, time: number): void {
  if (domain === 'E') context.timers.registerEventTimeTimer(time)
  else context.timers.registerProcessingTimeTimer(time)
}

function unregister(context: Context, domain: Domain, time: number): void {
  if (domain === 'E') context.timers.deleteEventTimeTimer(time)
  else context.timers.deleteProcessingTimeTimer(time)
}

/** The watermark and the clock, as the last items of a row. */
function clocks({ timers }: Context): Row {
  return [timeRow(timers.currentWatermark()), timers.currentProcessingTime()]
}

function act(action: Action, element: TimerElement, context: Context): Row | undefined {
  const { v, chain, cut } = context.state
  switch (action[0]) {
    case 'reg':
      register(context, action[1], action[2])
      return undefined
    case 'del':
      unregister(context, action[1], action[2])
      return undefined
    case 'set':
      v.update(action[1])
      return undefined
    case 'add':
      v.update((v.value() ?? 0) + action[1])
      return undefined
    case 'clear':
      v.clear()
      return undefined
    case 'chain':
      chain.update({ domain: action[1], delta: action[2], left: action[3] })
      return undefined
    case 'cut':
      cut.update({ domain: action[1], delta: action[2] })
      return undefined
    case 'emit':
      return ['e', element.key, element.id, v.value() ?? null, ...clocks(context)]
  }
}

/** Emits rows without their first two items, which the runner knows. */
export const timerFunction: KeyedProcessFunction<string, TimerElement, Row, Declared> = {
  state: { v: valueState(), chain: valueState(), cut: valueState() },
  processElement(element, context, out) {
    for (const action of element.actions) {
      const row = act(action, element, context)
      if (row !== undefined) out.collect(row)
    }
  },
  onTimer(time, context: OnTimerContext<string, Declared>, out) {
    const { v, chain, cut } = context.state
    const domain: Domain = context.timeDomain === 'event' ? 'E' : 'P'
    const before = v.value()
    out.collect(['t', domain, timeRow(time), context.key, before ?? null, ...clocks(context)])
    if (before !== undefined) v.update(before + 1)
    const cutting = cut.value()
    if (cutting !== undefined) {
      unregister(context, cutting.domain, time + cutting.delta)
      cut.clear()
    }
    const chained = chain.value()
    if (chained !== undefined) {
      register(context, chained.domain, time + chained.delta)
      if (chained.left <= 1) chain.clear()
      else chain.update({ ...chained, left: chained.left - 1 })
    }
  },
}

/** Runs one op and gives its rows. */
export function runTimerOp(harness: OperatorHarness, op: Op): Row[] {
  if (op[0] === 'e') {
    const [, key, time, id, actions] = op
    harness.processElement({ key, id, actions } as TimerElement, timeOf(time))
  } else {
    runSharedOp(harness, op)
  }
  return harness.takeOutput().map(out => {
    if (out.kind === 'watermark') return ['w', timeRow(out.watermark)]
    if (out.kind === 'record') return ['r', timestampRow(out.timestamp), ...(out.value as Row)]
    throw new Error(`unexpected output: ${out.kind}`)
  })
}
