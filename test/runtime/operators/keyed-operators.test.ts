/** Keyed functions with state and timers, connected and broadcast streams. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type {
  KeyedBroadcastProcessFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
} from '../../../src/api/functions.ts'
import { outputTag } from '../../../src/api/functions.ts'
import { mapState, valueState } from '../../../src/api/state-descriptor.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../../src/common/timestamps.ts'
import { InternalTimerService } from '../../../src/runtime/internal-timer-service.ts'
import { readOnlyHandles } from '../../../src/runtime/operators/broadcast-handles.ts'
import type { InnerOperatorSpec } from '../../../src/runtime/operators/create-operator.ts'
import {
  FunctionContext,
  KeyedFunctionContext,
} from '../../../src/runtime/operators/function-context.ts'
import { FunctionTimers } from '../../../src/runtime/operators/function-timers.ts'
import { openStates } from '../../../src/runtime/operators/open-states.ts'
import { makeCollector } from '../../../src/runtime/operators/output-collector.ts'
import { OperatorHarness } from '../../../src/testing/operator-harness.ts'
import { testBackend, testContext } from './test-context.ts'

describe('the timer service', () => {
  function service() {
    const backend = testBackend()
    const fired: unknown[] = []
    let full = false
    const timers: InternalTimerService = new InternalTimerService({
      backend,
      outputFull: () => full,
      target: {
        onEventTime(namespace, timestamp) {
          fired.push([backend.currentKey(), namespace, timestamp, timers.watermark])
          if (timestamp === 10) timers.registerEventTime(0, 11)
        },
        onProcessingTime(namespace, timestamp) {
          fired.push([backend.currentKey(), namespace, timestamp])
        },
      },
    })
    return {
      backend,
      timers,
      fired,
      setFull: (value: boolean) => {
        full = value
      },
    }
  }

  test('I1: fires in the order of time, each timer removed and its key set', () => {
    const { backend, timers, fired } = service()
    for (const [key, time] of [
      ['b', 5],
      ['a', 3],
      ['a', 9],
    ] as const) {
      backend.setCurrentKey(key)
      timers.registerEventTime(7, time)
    }
    expect(timers.nextEventTime()).toBe(3)
    expect(timers.fireEventTime(5)).toBe(true)
    expect(fired).toEqual([
      ['a', 7, 3, MIN_TIMESTAMP],
      ['b', 7, 5, MIN_TIMESTAMP],
    ])
    expect(timers.nextEventTime()).toBe(9)
  })

  test('a timer is a member of a set: registered twice it fires once, deleted never', () => {
    const { backend, timers, fired } = service()
    backend.setCurrentKey('a')
    timers.registerProcessingTime(0, 4)
    timers.registerProcessingTime(0, 4)
    timers.registerProcessingTime(1, 4)
    timers.registerProcessingTime(0, 5)
    timers.deleteProcessingTime(0, 5)
    timers.deleteProcessingTime(0, 6)
    expect(timers.nextProcessingTime()).toBe(4)
    expect(timers.fireProcessingTime(9)).toBe(true)
    expect(fired).toHaveLength(2)
    expect(timers.nextProcessingTime()).toBe(MAX_TIMESTAMP)
  })

  test('I2, I3: what a timer registers at or below the watermark fires in the same advance', () => {
    const { backend, timers, fired } = service()
    backend.setCurrentKey('a')
    timers.registerEventTime(0, 10)
    timers.watermark = 20
    expect(fired).toEqual([])
    timers.fireEventTime(20)
    expect(fired).toEqual([
      ['a', 0, 10, 20],
      ['a', 0, 11, 20],
    ])
  })

  test('stops after a timer when the outputs are full, and goes on', () => {
    const { backend, timers, fired, setFull } = service()
    for (const key of [1, 2, 3]) {
      backend.setCurrentKey(key)
      timers.registerEventTime(0, key)
    }
    setFull(true)
    expect(timers.fireEventTime(3)).toBe(false)
    expect(fired).toHaveLength(1)
    setFull(false)
    expect(timers.fireEventTime(3)).toBe(true)
    expect(fired).toHaveLength(3)
  })
})

interface Reading {
  readonly sensor: string
  readonly value: number
}

const alerts = outputTag<string>('alerts')

/** Sums the readings of a sensor, and reports the sum ten ms of event time after the first. */
const sums: KeyedProcessFunction<
  string,
  Reading,
  string,
  { sum: ReturnType<typeof valueState<number>> }
> = {
  state: { sum: valueState<number>() },
  processElement(reading, context) {
    const { sum } = context.state
    const before = sum.value()
    if (before === undefined) {
      context.timers.registerEventTimeTimer((context.timestamp ?? 0) + 10)
      context.timers.registerProcessingTimeTimer(context.timers.currentProcessingTime() + 100)
    }
    sum.update((before ?? 0) + reading.value)
    if (reading.value < 0) context.output(alerts, `${context.key} at ${context.timestamp}`)
  },
  onTimer(timestamp, context, out) {
    const { timeDomain, timers } = context
    const sum = context.state.sum.value()
    out.collect(`${timeDomain} ${context.key} ${timestamp} ${sum} wm ${timers.currentWatermark()}`)
    context.state.sum.clear()
  },
}

const sumsOperator = { kind: 'keyed-process', fn: sums } as unknown as InnerOperatorSpec
const bySensor = [(reading: Reading) => reading.sensor]

describe('a keyed process function', () => {
  test('keeps state by key and gets its timers', async () => {
    const harness = await OperatorHarness.open({ operator: sumsOperator, keySelectors: bySensor })
    harness.processElement({ sensor: 'a', value: 1 }, 5)
    harness.processElement({ sensor: 'b', value: 10 }, 6)
    harness.processElement({ sensor: 'a', value: 2 }, 7)
    harness.processWatermark(15)
    expect(harness.takeOutput()).toEqual([
      { kind: 'record', value: 'event a 15 3 wm 15', timestamp: 15 },
      { kind: 'watermark', watermark: 15 },
    ])
    harness.setProcessingTime(100)
    const processing = harness.takeOutput()
    expect(processing).toContainEqual({
      kind: 'record',
      value: 'processing b 100 10 wm 15',
      timestamp: MIN_TIMESTAMP,
    })
  })

  test('I4: a timer of processing time that the end of input overtook never fires', async () => {
    const harness = await OperatorHarness.open({ operator: sumsOperator, keySelectors: bySensor })
    harness.processElement({ sensor: 'a', value: 1 }, 5)
    harness.processWatermark(MAX_TIMESTAMP)
    expect(harness.finish()).toBe(true)
    expect(harness.takeValues()).toHaveLength(1)
    const restarted = await harness.restart()
    restarted.setProcessingTime(1_000)
    expect(restarted.takeValues()).toEqual([])
  })

  test('has side outputs', async () => {
    const harness = await OperatorHarness.open({ operator: sumsOperator, keySelectors: bySensor })
    harness.processElement({ sensor: 'a', value: -1 }, 5)
    expect(harness.takeOutput()).toEqual([
      { kind: 'side-output', tag: 'alerts', value: 'a at 5', timestamp: 5 },
    ])
  })

  test('takes state and timers along to another parallelism', async () => {
    let harness = await OperatorHarness.open({
      operator: sumsOperator,
      keySelectors: bySensor,
      parallelism: 3,
    })
    for (const sensor of ['a', 'b', 'c', 'd']) harness.processElement({ sensor, value: 1 }, 1)
    harness = await harness.restart(2)
    for (const sensor of ['a', 'b', 'c', 'd']) harness.processElement({ sensor, value: 2 }, 2)
    harness.processWatermark(11)
    expect(harness.takeValues().map(String).toSorted()).toEqual(
      ['a', 'b', 'c', 'd'].map(sensor => `event ${sensor} 11 3 wm 11`),
    )
  })

  test('an error of a timer fails the task whatever the policy: there is no record to skip', async () => {
    const fn: KeyedProcessFunction<string, string, never> = {
      processElement: (_value, context) => context.timers.registerEventTimeTimer(1),
      onTimer() {
        throw new Error('in a timer')
      },
    }
    const harness = await OperatorHarness.open({
      operator: { kind: 'keyed-process', fn: fn as never },
      keySelectors: [(value: string) => value],
      errorPolicy: { kind: 'skip', budget: 9 },
    })
    harness.processElement('a', 0)
    expect(() => harness.processWatermark(1)).toThrow('in a timer')
  })

  test('emits the same with a restart between any two records, and with full outputs', async () => {
    const readings = fc.array(
      fc.record({ sensor: fc.constantFrom('a', 'b', 'c'), value: fc.nat(9) }),
      { minLength: 1, maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(
        readings,
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        async (all, p) => {
          const run = async (harsh: boolean): Promise<string[]> => {
            let harness = await OperatorHarness.open({
              operator: sumsOperator,
              keySelectors: bySensor,
              interruptTimers: harsh,
            })
            const output: string[] = []
            for (const [i, reading] of all.entries()) {
              harness.processElement(reading, i * 4)
              if (harsh) harness = await harness.restart(1 + (p.next().value ?? 0))
              harness.processWatermark(i * 4)
              output.push(...harness.takeValues().map(String))
            }
            harness.processWatermark(MAX_TIMESTAMP)
            return [...output, ...harness.takeValues().map(String)].toSorted()
          }
          expect(await run(true)).toEqual(await run(false))
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe('two connected streams', () => {
  test('without keys: each side has its own method', async () => {
    const fn = {
      processElement1: (value: string, _context: unknown, out: { collect(v: string): void }) =>
        out.collect(`first ${value}`),
      processElement2: (value: string, _context: unknown, out: { collect(v: string): void }) =>
        out.collect(`second ${value}`),
    }
    const operator = { kind: 'co-process', fn } as unknown as InnerOperatorSpec
    const harness = await OperatorHarness.open({ operator })
    harness.processElement('a', 1, 0)
    harness.processElement('b', 2, 1)
    expect(harness.takeValues()).toEqual(['first a', 'second b'])
  })

  test('keyed: both sides see the same state and timers; the watermark is the smaller one', async () => {
    const fn: KeyedCoProcessFunction<
      string,
      string,
      string,
      string,
      { first: ReturnType<typeof valueState<string>> }
    > = {
      state: { first: valueState<string>() },
      processElement1(value, context) {
        context.state.first.update(value)
        context.timers.registerEventTimeTimer(10)
      },
      processElement2: (value, context, out) =>
        out.collect(`${context.state.first.value()} meets ${value}`),
      onTimer: (time, context, out) => out.collect(`${context.key} at ${time}`),
    }
    const harness = await OperatorHarness.open({
      operator: { kind: 'keyed-co-process', fn: fn as never },
      keySelectors: [(value: string) => value[0] as string, (value: string) => value[0] as string],
    })
    harness.processElement('a1', 1, 0)
    harness.processElement('a2', 2, 1)
    harness.processElement('b1', 2, 1)
    expect(harness.takeValues()).toEqual(['a1 meets a2', 'undefined meets b1'])
    harness.processWatermark(20, 0)
    expect(harness.takeOutput()).toEqual([])
    harness.processWatermark(12, 1)
    expect(harness.takeOutput()).toMatchObject([{ value: 'a at 10' }, { watermark: 12 }])
  })
})

describe('a broadcast stream', () => {
  const rules = { rules: mapState<string, number>() }

  test('is seen by every subtask, also after a restart at another parallelism', async () => {
    const fn = {
      broadcast: rules,
      processElement: (
        value: string,
        context: { broadcast: { rules: { get(key: string): number | undefined } } },
        out: { collect(v: unknown): void },
      ) => out.collect([value, context.broadcast.rules.get(value)]),
      processBroadcastElement: (
        [key, limit]: [string, number],
        context: { broadcast: { rules: { put(key: string, limit: number): void } } },
      ) => context.broadcast.rules.put(key, limit),
    }
    const operator = { kind: 'broadcast-process', fn } as unknown as InnerOperatorSpec
    let harness = await OperatorHarness.open({ operator, parallelism: 2 })
    harness.processBroadcastElement(['a', 7])
    harness = await harness.restart(3)
    for (let i = 0; i < 3; i++) harness.processElement('a')
    expect(harness.takeValues()).toEqual([
      ['a', 7],
      ['a', 7],
      ['a', 7],
    ])
  })

  test('may visit the keyed state of all keys, which the keyed side updates', async () => {
    const fn: KeyedBroadcastProcessFunction<
      string,
      string,
      string,
      string,
      typeof rules,
      { count: ReturnType<typeof valueState<number>> }
    > = {
      broadcast: rules,
      state: { count: valueState<number>() },
      processElement(value, context) {
        const { count } = context.state
        count.update((count.value() ?? 0) + (context.broadcast.rules.get('step') ?? 1))
        context.timers.registerEventTimeTimer(5)
        expect(context.key).toBe(value)
      },
      processBroadcastElement(value, context, out) {
        context.broadcast.rules.put('step', 10)
        const seen: string[] = []
        context.applyToKeyedState('count', (key, count) => seen.push(`${key}=${count.value()}`))
        out.collect(`${value}: ${seen.toSorted().join()}`)
      },
      onTimer: (_time, context, out) =>
        out.collect(`${context.key} ${context.broadcast.rules.get('step')}`),
    }
    const harness = await OperatorHarness.open({
      operator: { kind: 'keyed-broadcast-process', fn: fn as never },
      keySelectors: [(value: string) => value],
    })
    for (const value of ['a', 'b', 'a']) harness.processElement(value, 1)
    harness.processBroadcastElement('visit')
    harness.processElement('b', 2)
    harness.processBroadcastElement('again')
    expect(harness.takeValues()).toEqual(['visit: a=2,b=1', 'again: a=2,b=11'])
    harness.processWatermark(9)
    expect(harness.takeValues().map(String).toSorted()).toEqual(['a 10', 'b 10'])
  })

  test('refuses to be written by the other side', () => {
    const state = testContext().operatorState.broadcastState('rules', ...generalPair())
    const { rules: view } = readOnlyHandles({ rules: state })
    state.put('a', 1)
    expect([view?.get('a'), view?.has('b'), view?.isEmpty()]).toEqual([1, false, false])
    expect([...(view?.keys() ?? [])]).toEqual(['a'])
    expect([...(view?.values() ?? [])]).toEqual([1])
    expect([...(view?.entries() ?? [])]).toEqual([['a', 1]])
    expect(() => view?.put('a', 2)).toThrow(/WEIR_BROADCAST_READ_ONLY|only read/)
    expect(() => view?.remove('a')).toThrow('rules')
    expect(() => view?.clear()).toThrow('rules')
  })
})

function generalPair() {
  const [key, value] = testContext().inputTypes
  if (key === undefined || value === undefined) throw new Error('two types')
  return [key, value] as const
}

test('a timer finds its function, its context and the time that results carry', () => {
  const backend = testBackend()
  const emitted: unknown[] = []
  const context = testContext({ emit: (value, time) => emitted.push([value, time]) })
  const collector = makeCollector(context)
  const target = new FunctionTimers(
    { onTimer: (time, { timeDomain }, out) => out.collect(`${timeDomain} ${time}`) },
    collector,
  )
  const timers = new InternalTimerService({ backend, target, outputFull: () => false })
  const state = openStates(backend, undefined)
  expect(() => target.onEventTime(0, 1)).toThrow('after open')
  target.context = new KeyedFunctionContext({ context, collector, backend, timers, state })
  target.onEventTime(0, 1)
  target.onProcessingTime(0, 2)
  expect(emitted).toEqual([
    ['event 1', 1],
    ['processing 2', MIN_TIMESTAMP],
  ])
  expect(new FunctionContext(context, collector).timestamp).toBeUndefined()
})
