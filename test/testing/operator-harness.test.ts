import { describe, expect, test } from '@jest/globals'
import type { KeyedProcessFunction } from '../../src/api/functions.ts'
import { valueState } from '../../src/api/state-descriptor.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { OperatorHarness } from '../../src/testing/operator-harness.ts'

const counting: KeyedProcessFunction<
  string,
  string,
  string,
  { count: ReturnType<typeof valueState<number>> }
> = {
  state: { count: valueState<number>() },
  processElement(value, { state, timers }, out) {
    state.count.update((state.count.value() ?? 0) + 1)
    timers.registerEventTimeTimer(10)
    out.collect(`${value} ${state.count.value()}`)
  },
  onTimer: (_time, { key }, out) => out.collect(`${key} fires`),
}

const options = {
  operator: { kind: 'keyed-process', fn: counting as never },
  keySelectors: [(value: string) => value],
} as const

describe('the operator harness', () => {
  test('gives each record to the subtask that owns its key', async () => {
    const harness = await OperatorHarness.open({ ...options, parallelism: 4 })
    for (let i = 0; i < 40; i++) harness.processElement(`key ${i}`, 1)
    const counts = [0, 1, 2, 3].map(subtask => harness.metrics(subtask).recordsIn)
    expect(counts.reduce((a, b) => a + b)).toBe(40)
    expect(Math.min(...counts)).toBeGreaterThan(0)
  })

  test('a snapshot can be restored more than once, at any parallelism', async () => {
    const harness = await OperatorHarness.open(options)
    for (const key of ['a', 'b', 'c']) harness.processElement(key, 1)
    harness.takeOutput()
    const snapshot = await harness.snapshot()
    harness.processElement('a', 2)
    for (const parallelism of [1, 2, 5]) {
      const restored = await OperatorHarness.open({ ...options, parallelism }, snapshot)
      restored.processElement('a', 2)
      expect(restored.takeValues()).toEqual(['a 2'])
      restored.processWatermark(10)
      expect(restored.takeValues().map(String).toSorted()).toEqual([
        'a fires',
        'b fires',
        'c fires',
      ])
    }
  })

  test('interrupted timers: stops after a timer, goes on when asked, emits the same', async () => {
    const harness = await OperatorHarness.open({ ...options, interruptTimers: true })
    for (const key of ['a', 'b', 'c']) harness.processElement(key, 1)
    harness.takeOutput()
    harness.beginWatermark(10)
    expect(harness.takeOutput()).toHaveLength(1)
    while (!harness.resume());
    expect(harness.takeOutput()).toMatchObject([
      { kind: 'record' },
      { kind: 'record' },
      { kind: 'watermark', watermark: 10 },
    ])
  })

  test('a restart keeps what was not taken yet, and the clock', async () => {
    const clock = new ManualClock(500)
    const harness = await OperatorHarness.open({ ...options, clock })
    harness.processElement('a', 1)
    const restarted = await harness.restart()
    restarted.setProcessingTime(600)
    expect(restarted.clock.now()).toBe(600)
    expect(restarted.takeValues()).toEqual(['a 1'])
  })

  test('takes no record while the operator is blocked', async () => {
    const harness = await OperatorHarness.open({
      operator: {
        kind: 'async',
        fn: { invoke: () => new Promise(() => {}) },
        options: { ordered: true, timeoutMs: 0, capacity: 1, retry: undefined },
      },
    })
    harness.processElement('a')
    expect(() => harness.processElement('b')).toThrow('settle')
  })
})
