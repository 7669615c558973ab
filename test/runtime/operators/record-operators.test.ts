/** The operators over single records: map, filter, flatMap, process, watermarks, reduce, aggregate. */
import { describe, expect, test } from '@jest/globals'
import { operatorListState, outputTag, type ProcessFunction } from '../../../src/api/functions.ts'
import type { AggregateFunction } from '../../../src/api/state.ts'
import type { WatermarkStrategy } from '../../../src/api/watermark-strategy.ts'
import { MAX_TIMESTAMP } from '../../../src/common/timestamps.ts'
import {
  createOperator,
  type InnerOperatorSpec,
} from '../../../src/runtime/operators/create-operator.ts'
import { makeCollector } from '../../../src/runtime/operators/output-collector.ts'
import { OperatorHarness } from '../../../src/testing/operator-harness.ts'
import { testContext } from './test-context.ts'

const square = (value: number): number => value * value
const isEven = (value: number): boolean => value % 2 === 0

interface Case {
  readonly operator: object
  readonly given: readonly number[]
  readonly expected: readonly unknown[]
}

const cases: Record<string, Case> = {
  'map gives one result a record': {
    operator: { kind: 'map', fn: square },
    given: [1, 2, 3],
    expected: [1, 4, 9],
  },
  'filter keeps what the function accepts': {
    operator: { kind: 'filter', fn: isEven },
    given: [1, 2, 3, 4],
    expected: [2, 4],
  },
  'flatMap takes what is collected': {
    operator: {
      kind: 'flat-map',
      fn(value: number, out: { collect(value: unknown): void }) {
        for (let i = 0; i < value; i++) out.collect(`${value}.${i}`)
      },
    },
    given: [0, 2, 1],
    expected: ['2.0', '2.1', '1.0'],
  },
  'flatMap takes what is returned: an array': {
    operator: { kind: 'flat-map', fn: (value: number) => [value, -value] },
    given: [1, 2],
    expected: [1, -1, 2, -2],
  },
  'flatMap takes what is returned: any iterable': {
    operator: { kind: 'flat-map', fn: (value: number) => new Set([value, value, 0]) },
    given: [1, 0],
    expected: [1, 0, 0],
  },
}

test.each(Object.entries(cases))('%s', async (_sentence, { operator, given, expected }) => {
  const harness = await OperatorHarness.open({ operator: operator as InnerOperatorSpec })
  for (const value of given) harness.processElement(value, 5)
  const output = harness.takeOutput()
  expect(output).toEqual(expected.map(value => ({ kind: 'record', value, timestamp: 5 })))
  expect(harness.metrics()).toMatchObject({
    recordsIn: given.length,
    recordsOut: expected.length,
  })
})

test('watermarks and statuses pass operators that have no timers', async () => {
  const operator = { kind: 'map', fn: square } as unknown as InnerOperatorSpec
  const harness = await OperatorHarness.open({ operator })
  harness.processWatermark(3)
  harness.processStatus('idle')
  expect(harness.takeOutput()).toEqual([
    { kind: 'watermark', watermark: 3 },
    { kind: 'status', status: 'idle' },
  ])
  expect(harness.metrics().currentWatermark).toBe(3)
})

describe('process', () => {
  const late = outputTag<string>('late')
  const remember: ProcessFunction<string, string, { seen: ReturnType<typeof operatorListState> }> =
    {
      operatorState: { seen: operatorListState() },
      processElement(value, context, out) {
        if (value === 'late') context.output(late, `at ${context.timestamp}`)
        else context.operatorState.seen.add(value)
        out.collect(context.operatorState.seen.get().join())
      },
    }
  const operator = { kind: 'process', fn: remember } as unknown as InnerOperatorSpec

  test('has side outputs and operator state, which a restart divides', async () => {
    let harness = await OperatorHarness.open({ operator })
    for (const value of ['a', 'b', 'late', 'c']) harness.processElement(value, 9)
    expect(harness.takeOutput()).toContainEqual({
      kind: 'side-output',
      tag: 'late',
      value: 'at 9',
      timestamp: 9,
    })
    harness = await harness.restart(2)
    harness.processElement('x')
    harness.processElement('y')
    expect(harness.takeValues()).toEqual(['a,b,x', 'c,y'])
  })

  test('a record without timestamp has none', async () => {
    const harness = await OperatorHarness.open({ operator })
    harness.processElement('late')
    expect(harness.takeOutput()[0]).toMatchObject({ value: 'at undefined' })
  })

  test('opens and closes its function', async () => {
    const calls: string[] = []
    const fn = {
      open: () => void calls.push('open'),
      processElement: () => void calls.push('element'),
      close: () => void calls.push('close'),
    }
    const harness = await OperatorHarness.open({ operator: { kind: 'process', fn } })
    harness.processElement(1)
    await harness.close()
    expect(calls).toEqual(['open', 'element', 'close'])
  })
})

describe('a function that throws', () => {
  const fn = (value: number): number => {
    if (value < 0) throw new Error(`${value} is negative`)
    return value
  }
  const operator = { kind: 'map', fn } as unknown as InnerOperatorSpec

  test('fails the task by default, naming the operator and the reason', async () => {
    const harness = await OperatorHarness.open({ operator })
    expect(() => harness.processElement(-1)).toThrow(/operator failed on a record: -1 is negative/)
  })

  test('is skipped within the budget', async () => {
    const harness = await OperatorHarness.open({
      operator,
      errorPolicy: { kind: 'skip', budget: 1 },
    })
    for (const value of [1, -1, 2]) harness.processElement(value)
    expect(harness.takeValues()).toEqual([1, 2])
    expect(() => harness.processElement(-2)).toThrow('more than 1 records')
  })

  test('becomes a dead letter', async () => {
    const tag = outputTag<never>('dead')
    const harness = await OperatorHarness.open({
      operator,
      errorPolicy: { kind: 'dead-letter', tag },
    })
    harness.processElement(-1)
    expect(harness.takeOutput()).toMatchObject([
      { kind: 'side-output', tag: 'dead', value: { record: -1, operator: 'operator' } },
    ])
  })
})

const throwing: Record<string, object> = {
  map: { kind: 'map', fn: square },
  flatMap: { kind: 'flat-map', fn: (value: number) => [value] },
  process: {
    kind: 'process',
    fn: {
      processElement: (value: number, _context: unknown, out: { collect(value: unknown): void }) =>
        out.collect(value),
    },
  },
  reduce: { kind: 'keyed-reduce', reduce: (a: number, b: number) => a + b },
}

test.each(Object.entries(throwing))(
  'an error of the operators behind a %s is not its own to skip',
  async (_name, spec) => {
    const context = testContext({
      errorPolicy: { kind: 'skip', budget: 100 },
      keySelectors: [() => 1],
      emit: () => {
        throw new Error('behind')
      },
    })
    const operator = createOperator(spec as InnerOperatorSpec, context)
    await operator.open()
    expect(() => operator.inputs[0]?.(1, 0)).toThrow('behind')
    expect(context.metrics.recordsSkipped).toBe(0)
  },
)

test('a collector says whether a record is on its way', () => {
  const seen: boolean[] = []
  const collector = makeCollector(testContext({ emit: () => seen.push(collector.emitting) }))
  collector.collect(1)
  expect([...seen, collector.emitting]).toEqual([true, false])
})

describe('keyed, without windows', () => {
  const keySelectors = [(value: number) => value % 3]

  test('reduce gives the value so far with each record', async () => {
    const reduce = (a: number, b: number): number => a + b
    let harness = await OperatorHarness.open({
      operator: { kind: 'keyed-reduce', reduce: reduce as never },
      keySelectors,
    })
    for (const value of [1, 2, 4, 5]) harness.processElement(value)
    harness = await harness.restart(3)
    harness.processElement(7)
    expect(harness.takeValues()).toEqual([1, 2, 5, 7, 12])
  })

  test('aggregate gives the result so far with each record', async () => {
    const mean: AggregateFunction<number, readonly [number, number], number> = {
      create: () => [0, 0],
      add: (value, [count, sum]) => [count + 1, sum + value],
      result: ([count, sum]) => sum / count,
    }
    const harness = await OperatorHarness.open({
      operator: { kind: 'keyed-aggregate', aggregate: mean as never },
      keySelectors,
    })
    for (const value of [1, 4, 2, 7]) harness.processElement(value)
    expect(harness.takeValues()).toEqual([1, 2.5, 2, 4])
  })

  test('a key selector that throws is an error of the record', async () => {
    const context = testContext({
      errorPolicy: { kind: 'skip', budget: 1 },
      keySelectors: [
        () => {
          throw new Error('no key')
        },
      ],
    })
    const spec = { kind: 'keyed-reduce', reduce: square } as unknown as InnerOperatorSpec
    const operator = createOperator(spec, context)
    await operator.open()
    operator.inputs[0]?.(1, 0)
    expect(context.metrics.recordsSkipped).toBe(1)
  })
})

describe('watermarks in the middle of a stream', () => {
  const strategy: WatermarkStrategy<number> = {
    name: 'bounded',
    timestampAssigner: value => value,
    makeGenerator: undefined,
    outOfOrdernessMs: 10,
    idlenessMs: 0,
    alignment: undefined,
  }
  const operator = { kind: 'watermarks', watermarks: strategy } as unknown as InnerOperatorSpec

  test('are made of its records, every 200 ms, and replace those from upstream', async () => {
    const harness = await OperatorHarness.open({ operator })
    harness.processElement(1_000)
    harness.processWatermark(5_000)
    harness.setProcessingTime(199)
    harness.setProcessingTime(200)
    expect(harness.takeOutput()).toEqual([
      { kind: 'record', value: 1_000, timestamp: 1_000 },
      { kind: 'watermark', watermark: 989 },
    ])
    harness.processWatermark(MAX_TIMESTAMP)
    expect(harness.takeOutput()).toEqual([{ kind: 'watermark', watermark: MAX_TIMESTAMP }])
  })

  test('refuse a timestamp that is no number', async () => {
    const harness = await OperatorHarness.open({ operator })
    expect(() => harness.processElement(Number.NaN)).toThrow('NaN')
  })
})
